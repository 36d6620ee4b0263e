// A client of 2025-11-25, the official TypeScript one, that does what a client
// scenario of the suite wants done at the URL it is given. It knows nothing of
// the later revision: no headers beside the session's, no input_required. What a
// scenario of 2026-07-28 then sees is the gateway's own work.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const [url] = process.argv.slice(2);
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? "{}");

const client = new Client(
  { name: "legacy-client", version: "1.0.0" },
  { capabilities: { elicitation: {} }, versionNegotiation: { mode: "legacy" } },
);
// A form is sent off with its defaults, and yes to all that has none.
client.setRequestHandler("elicitation/create", ({ params }) => ({
  action: "accept",
  content: Object.fromEntries(Object.entries(params.requestedSchema.properties).map(([name, of]) => [name, of.default ?? true])),
}));

const tools = async () => (await client.listTools()).tools;
const call = async (name, args = {}) => {
  try {
    return await client.callTool({ name, arguments: args });
  } catch (refused) {
    console.error(`${name}: ${refused.message}`); // the suite has seen what it has seen
  }
};

const scenarios = {
  initialize: tools,
  tools_call: () => tools().then(() => call("add_numbers", { a: 5, b: 3 })),
  "elicitation-sep1034-client-defaults": () => tools().then(() => call("test_client_elicitation_defaults")),
  "sse-retry": () => tools().then(() => call("test_reconnection")),
  "request-metadata": tools,
  "json-schema-ref-no-deref": tools,
  async "json-schema-2020-12-preservation"() {
    const focal = (await tools()).find(({ name }) => name === "json_schema_2020_12_tool");
    await call("json_schema_echo", { schema: focal.inputSchema });
  },
  async "sep-2322-client-request-state"() {
    for (const { name } of await tools()) await call(name);
  },
  async "http-standard-headers"() {
    for (const { name } of await tools()) await call(name);
    for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri });
    for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name });
  },
  async "http-custom-headers"() {
    await tools();
    for (const { name, arguments: args } of context.toolCalls) await call(name, args);
  },
  async "http-invalid-tool-headers"() {
    for (const { name } of await tools()) await call(name, { region: "us-west1" });
  },
};

const scenario = scenarios[process.env.MCP_CONFORMANCE_SCENARIO];
if (!scenario) throw new Error(`client.mjs does not know the scenario ${process.env.MCP_CONFORMANCE_SCENARIO}`);
await client.connect(new StreamableHTTPClientTransport(new URL(url)));
await scenario();
await client.close();
