// The official TypeScript clients, driven over standard input: one JSON command a
// line, answered by one JSON line that repeats its `id`.
//
//   {id, op: "connect", as, sdk: "v1"|"v2"|"v2-auto", url, transport: "http"|"sse", capable: bool}
//   {id, op: "list", as}                      every tool, as the SDK hands it out
//   {id, op: "call", as, name, arguments, progress: bool}
//   {id, op: "cancel", as, call}              aborts the call with that command id
//   {id, op: "request", as, method, params, progress: bool}      any method; capable clients only
//   {id, op: "take", as}                      what a capable client was asked and told since
//   {id, op: "close", as}
//
// Events come unasked: {event: "list_changed", as}. The process ends with its input.
import { createInterface } from "node:readline";
import * as v2 from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport as SSEv1 } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport as HTTPv1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { capableClient, request } from "./capable.mjs";

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const clients = new Map(); // name of the connection -> client
const calls = new Map(); // id of the call's command -> AbortController

function newClient(sdk, as) {
  const info = { name: `typescript-${sdk}`, version: "1.0.0" };
  if (sdk === "v1") {
    const client = new ClientV1(info, { capabilities: {} });
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => say({ event: "list_changed", as }));
    return client;
  }
  return new v2.Client(info, {
    capabilities: {},
    versionNegotiation: { mode: sdk === "v2-auto" ? "auto" : "legacy" },
    listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => say({ event: "list_changed", as }) } },
  });
}

function newTransport(sdk, transport, url) {
  if (transport === "sse") return sdk === "v1" ? new SSEv1(new URL(url)) : new v2.SSEClientTransport(new URL(url));
  return sdk === "v1" ? new HTTPv1(new URL(url)) : new v2.StreamableHTTPClientTransport(new URL(url));
}

const ops = {
  async connect({ as, sdk, url, transport, capable }) {
    const client = capable ? capableClient(sdk) : newClient(sdk, as);
    await client.connect(newTransport(sdk, transport, url));
    clients.set(as, client);
    return {
      version: sdk === "v1" ? client.transport?.protocolVersion : client.getNegotiatedProtocolVersion(),
      server: client.getServerVersion(),
      capabilities: client.getServerCapabilities(),
      instructions: client.getInstructions(),
    };
  },
  async list({ as }) {
    const client = clients.get(as);
    const refresh = client instanceof ClientV1 ? undefined : { cacheMode: "refresh" };
    const tools = [];
    let cursor;
    do {
      const page = await client.listTools(cursor === undefined ? {} : { cursor }, refresh);
      tools.push(...page.tools);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return tools;
  },
  async call({ id, as, name, arguments: args, progress }) {
    const client = clients.get(as);
    const seen = [];
    const abort = new AbortController();
    const options = { signal: abort.signal, timeout: 60_000 };
    if (progress) options.onprogress = (report) => seen.push(report);
    calls.set(id, abort);
    try {
      const params = { name, arguments: args };
      const result = await (client instanceof ClientV1 ? client.callTool(params, undefined, options) : client.callTool(params, options));
      return { result, progress: seen };
    } finally {
      calls.delete(id);
    }
  },
  async cancel({ call }) {
    calls.get(call)?.abort(new Error("cancelled by the test"));
    return {};
  },
  async request({ as, method, params, progress }) {
    const seen = [];
    const options = { timeout: 30_000, ...(progress && { onprogress: (report) => seen.push(report) }) };
    return { result: await request(clients.get(as), method, params, options), progress: seen };
  },
  async take({ as }) {
    return clients.get(as).events.splice(0);
  },
  async close({ as }) {
    await clients.get(as)?.close();
    clients.delete(as);
    return {};
  },
};

createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const command = JSON.parse(line);
    try {
      say({ id: command.id, value: await ops[command.op](command) });
    } catch (err) {
      say({ id: command.id, error: { name: err?.name, code: err?.code, message: String(err?.message ?? err), data: err?.data } });
    }
  })
  .on("close", () => process.exit(0));
say({ event: "ready" });
