// The tools that every server of this folder offers, whatever its SDK and era.
import { setTimeout as sleep } from "node:timers/promises";
import { form, grow, roots, sampling, stable, url } from "./features.mjs";

let grown = 0;

const anything = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  title: "Anything <&> ünïcödé",
  properties: {
    value: { anyOf: [{ type: "integer", maximum: 9007199254740991 }, { type: "null" }], default: null },
  },
  patternProperties: { "^x-": { not: { type: "array" } } },
  definitions: { kept: { const: 1.5 } },
  additionalProperties: true,
};

const empty = { type: "object" };

export function tools() {
  const list = [
    {
      name: "echo",
      title: "Echo",
      description: "Answers the text of its arguments, byte for byte. \u2028 <b>&amp;</b> \"quoted\" 🎈",
      inputSchema: anything,
      annotations: { readOnlyHint: true, title: "Echo, annotated" },
      icons: [{ src: "data:image/png;base64,iVBORw0KGgo=", mimeType: "image/png", sizes: ["48x48"] }],
      _meta: { "anthropic/maxResultSizeChars": 200000, "example.com/list": [1, 2.5, null, {}] },
    },
    { name: "progress", description: "Reports progress `steps` times.", inputSchema: empty },
    {
      name: "odd",
      description: "Answers content of every kind.",
      inputSchema: empty,
      outputSchema: {
        type: "object",
        properties: { big: { type: "integer" }, deep: { type: "array", items: {} } },
        required: ["big"],
        additionalProperties: true,
      },
    },
    { name: "fail", description: "Answers a result with isError.", inputSchema: empty },
    { name: "refuse", description: "Answers a JSON-RPC error with a code and data of its own.", inputSchema: empty },
    { name: "slow", description: "Sleeps `ms` milliseconds, or until it is cancelled.", inputSchema: empty },
    { name: "grow", description: "Adds a tool and says so.", inputSchema: empty },
    { name: "grow_prompts", description: "Adds a prompt and says so.", inputSchema: empty },
    { name: "grow_resources", description: "Adds a resource and says so.", inputSchema: empty },
    { name: "touch", description: "Says that the resource `uri` has changed.", inputSchema: empty },
    { name: "numbers", description: "Answers numbers that JavaScript does not have.", inputSchema: empty },
    { name: "meta", description: "Answers the _meta that came with the call.", inputSchema: empty },
    { name: "whoami", description: "Answers what the client said of itself.", inputSchema: empty },
    { name: "log", description: "Logs at every level.", inputSchema: empty },
    { name: "sample", description: "Asks the client's model.", inputSchema: empty },
    { name: "ask_form", description: "Asks the user to fill in a form.", inputSchema: empty },
    { name: "ask_url", description: "Asks the user to open a page.", inputSchema: empty },
    { name: "ping_client", description: "Pings the client: in the 2025 era only.", inputSchema: empty },
    { name: "list_roots", description: "Asks for the client's roots.", inputSchema: empty },
    { name: "ask_both", description: "Asks the model and the user at once.", inputSchema: empty },
    { name: "ask_twice", description: "Asks the user, and then the model about the answer.", inputSchema: empty },
  ];
  for (let i = 1; i <= grown; i++) list.push({ name: `grown_${i}`, inputSchema: empty });
  return list;
}

// serve.mjs writes what stands in raw(…) as it is.
const numbers = {
  content: [{ type: "text", text: "numbers" }],
  structuredContent: { big: "raw(12345678901234567890)", float: "raw(1.0)", minus: "raw(-0)", exponent: "raw(1E+2)", spaced: "raw([ 1 ,\t2 ])", twice: "raw(1,\"twice\":2)", escaped: 'raw("\\u00e9\\/")' },
  _meta: { "example.com/huge": "raw(18446744073709551616.10)" },
};

const odd = {
  content: [
    {
      type: "text",
      text: "line\u2028separator <b>&amp;</b> \u0001 ünïcödé 🎈 \\ /",
      annotations: { audience: ["user", "assistant"], priority: 0.25, lastModified: "2026-01-02T03:04:05Z" },
      _meta: { "example.com/n": 1.5 },
    },
    {
      type: "resource_link",
      uri: "file:///odd%20name?q=1#f",
      name: "odd",
      title: "Odd",
      description: "",
      mimeType: "text/plain",
      size: 9007199254740991,
      icons: [{ src: "https://example.com/i.svg", mimeType: "image/svg+xml", sizes: ["any"] }],
    },
    { type: "audio", data: "UklGRg==", mimeType: "audio/wav" },
    { type: "image", data: "iVBORw0KGgo=", mimeType: "image/png", annotations: { priority: 1 } },
    { type: "resource", resource: { uri: "mem://blob", mimeType: "application/octet-stream", blob: "AAEC" } },
    { type: "resource", resource: { uri: "mem://text", text: "", _meta: { "example.com/empty": true } } },
  ],
  structuredContent: { big: 9007199254740991, deep: [[[]], { "a.b/c": null }, -0.5, 1e-7], "": "empty key" },
  _meta: { "example.com/trace": { id: "00-ff", list: [] } },
};

// All of RFC 5424, in another order than that of their severity.
const levels = ["info", "emergency", "debug", "critical", "notice", "alert", "warning", "error"];

const told = (answers) => ({ content: [{ type: "text", text: stable(answers) }] });

// Runs one tool. raw is the text of the arguments; io.progress(n, total, message)
// reports, io.changed(kind) announces a new list, io.updated(uri) a changed
// resource, io.signal aborts, io.note(event) tells the test, io.log(level, data,
// logger) tells the client, and io.ask({key: request}) returns its answers by key.
export async function call(name, args, raw, io) {
  switch (name) {
    case "echo":
      return { content: [{ type: "text", text: raw ?? "" }] };
    case "progress":
      for (let i = 1; i <= args.steps; i++) {
        await io.progress(i, args.steps, `step ${i} of ${args.tag}`);
        // The 1.x client loses a report that arrives together with the result.
        await sleep(2);
      }
      return { content: [{ type: "text", text: `done ${args.tag}` }] };
    case "odd":
      return odd;
    case "fail":
      return { content: [{ type: "text", text: "it failed, as asked" }], isError: true, _meta: { "example.com/why": "asked" } };
    case "refuse":
      throw Object.assign(new Error("refused, as asked"), { code: 4242, data: { reason: "asked", list: [1.5, null] } });
    case "slow":
      io.note({ event: "started", tag: args.tag });
      try {
        await sleep(args.ms ?? 60_000, undefined, { signal: io.signal });
      } catch (err) {
        io.note({ event: "cancelled", tag: args.tag });
        throw err;
      }
      return { content: [{ type: "text", text: `slept ${args.tag}` }] };
    case "grow":
      grown++;
      await io.changed("tools");
      return { content: [{ type: "text", text: `grown_${grown}` }] };
    case "grow_prompts":
    case "grow_resources": {
      const kind = name.slice("grow_".length);
      const count = grow(kind);
      await io.changed(kind);
      return { content: [{ type: "text", text: `grown_${count}` }] };
    }
    case "touch":
      await io.updated(args.uri);
      return { content: [] };
    case "numbers":
      return numbers;
    case "meta":
      return told(Object.fromEntries(Object.entries(io.meta ?? {}).filter(([key]) => !key.startsWith("io.modelcontextprotocol/"))));
    case "whoami":
      return told(io.client);
    case "log":
      for (const [i, level] of levels.entries()) {
        await io.log(level, [`${level} \u2028 <&>`, { n: 9007199254740991, list: [1.5, null] }, null, 7][i % 4], i % 2 ? "läbel" : undefined);
      }
      return { content: [{ type: "text", text: "logged" }] };
    case "sample":
      return told(await io.ask({ "a sample": sampling(`${args.text}`) }));
    case "ask_form":
      return told(await io.ask({ form: form(`${args.message}`) }));
    case "ask_url":
      return told(await io.ask({ url: url("Please connect. \u2028") }));
    case "ping_client":
      return told(await io.ask({ pong: { method: "ping" } }));
    case "list_roots":
      return told(await io.ask({ roots: roots() }));
    case "ask_both":
      return told(await io.ask({ sample: sampling("one of two"), form: form("two of two") }));
    case "ask_twice": {
      const first = await io.ask({ first: form("first") });
      return told(await io.ask({ ...first, second: sampling(`You were told ${stable(first)}`) }));
    }
    default:
      throw Object.assign(new Error(`Unknown tool: ${name}`), { code: -32602 });
  }
}
