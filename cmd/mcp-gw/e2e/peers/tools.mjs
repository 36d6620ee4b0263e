// The tools that every server of this folder offers, whatever its SDK and era.
import { setTimeout as sleep } from "node:timers/promises";

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
  ];
  for (let i = 1; i <= grown; i++) list.push({ name: `grown_${i}`, inputSchema: empty });
  return list;
}

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

// Runs one tool. raw is the text of the arguments; io.progress(n, total, message)
// reports, io.changed() announces a new tool list, io.signal aborts, io.note(event)
// tells the test.
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
      await io.changed();
      return { content: [{ type: "text", text: `grown_${grown}` }] };
    default:
      throw Object.assign(new Error(`Unknown tool: ${name}`), { code: -32602 });
  }
}
