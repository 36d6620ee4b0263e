// What both servers offer beside tools: resources, templates, prompts and
// completions, with everything in them that a relay could lose.

const icons = [{ src: "data:image/svg+xml;base64,PHN2Zy8+", mimeType: "image/svg+xml", sizes: ["any"], theme: "dark" }];
const annotations = { audience: ["assistant"], priority: 0.1, lastModified: "2026-01-02T03:04:05Z" };
// What each list holds beside its items.
export const listed = { _meta: { "example.com/listed": [1.5, null] } };

const odd = "mem://odd/%C3%A9%20x;y=1?q=a%2Fb&r=+#frag";
const unicode = "mem://host/ünï côdé/🎈";

let grown = { prompts: 0, resources: 0 };
export const grow = (kind) => ++grown[kind];
const more = (kind, item) => Array.from({ length: grown[kind] }, (_, i) => item(`grown_${i + 1}`));

export const resources = () => [
  { uri: "mem://a/text", name: "text", title: "Text <&> \u2028", description: "ünïcödé 🎈", mimeType: "text/plain", size: 9007199254740991, icons, annotations, _meta: { "example.com/n": [1.5, null, {}] } },
  { uri: "mem://a/blob", name: "blob", mimeType: "application/octet-stream", size: 3 },
  { uri: "mem://many", name: "many" },
  { uri: "mem://ask", name: "ask", description: "Asks the client for a sample when it is read." },
  { uri: odd, name: "odd" },
  { uri: unicode, name: "text" },
  { uri: "urn:example:a:b;c", name: "urn", title: "" },
  ...more("resources", (name) => ({ uri: `mem://grown/${name}`, name })),
];

export const templates = [
  { uriTemplate: "mem://item/{id}", name: "item", title: "Item", description: "One item", mimeType: "application/json", icons, annotations, _meta: { "example.com/t": true } },
  { uriTemplate: "mem://path/{+path}{?q,lang}", name: "item" },
];

// JSON with members in order: SDKs write those of a client's answer in that of
// their schemas, and these differ.
export const stable = (value) =>
  JSON.stringify(value, (_, v) => (v && typeof v === "object" && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v));

const template = (uri) => /^mem:\/\/(item|path)\/([^?]*)(?:\?(.*))?$/.exec(uri);

export async function read(uri, io) {
  switch (uri) {
    case "mem://a/text":
      return { contents: [{ uri, mimeType: "text/plain", text: "line\u2028separator <&> \u0001 🎈" }], _meta: { "example.com/read": 1e-7 } };
    case "mem://a/blob":
      return { contents: [{ uri, mimeType: "application/octet-stream", blob: "AAEC", _meta: { "example.com/b": [] } }] };
    case "mem://many":
      return { contents: [{ uri: "mem://a/text", text: "" }, { uri: "mem://a/blob", blob: "" }, { uri, text: "third", mimeType: "" }] };
    case "mem://ask": {
      const { sample } = await io.ask({ sample: sampling("for a resource") });
      return { contents: [{ uri, text: stable(sample) }] };
    }
    case "mem://refused":
      throw Object.assign(new Error("no \u2028 <&>"), { code: 4242, data: { uri, list: [1.5, null] } });
    case odd:
    case unicode:
    case "urn:example:a:b;c":
      return { contents: [{ uri, text: `at ${uri}` }] };
  }
  const found = template(uri);
  if (found) return { contents: [{ uri, mimeType: "application/json", text: JSON.stringify(found.slice(1)) }] };
  throw Object.assign(new Error(`Resource not found: ${uri}`), { code: io.notFound, data: { uri } });
}

export const prompts = () => [
  { name: "plain" },
  {
    name: "greet",
    title: "Greet <&>",
    description: "Takes arguments. \u2028 ünïcödé",
    arguments: [{ name: "who", title: "Who", description: "whom to greet", required: true }, { name: "tone", required: false }, { name: "city" }],
    icons,
    _meta: { "example.com/p": { deep: [[[]]] } },
  },
  { name: "rich", description: "Holds content of every kind." },
  { name: "ask", description: "Asks the user before it answers." },
  ...more("prompts", (name) => ({ name })),
];

export async function prompt(name, args, io) {
  const text = (role, text) => ({ role, content: { type: "text", text } });
  switch (name) {
    case "plain":
      return { messages: [text("user", "plain")] };
    case "greet":
      if (!args?.who) throw Object.assign(new Error("Missing argument who"), { code: -32602, data: { argument: "who" } });
      return { description: `for ${args.who}`, messages: [text("user", `Greet: ${JSON.stringify(args)}`), text("assistant", "\u2028 <b>&amp;</b>")], _meta: { "example.com/g": 2.5 } };
    case "rich":
      return {
        messages: [
          { role: "user", content: { type: "image", data: "iVBORw0KGgo=", mimeType: "image/png", annotations } },
          { role: "assistant", content: { type: "audio", data: "UklGRg==", mimeType: "audio/wav" } },
          { role: "user", content: { type: "resource", resource: { uri: "mem://a/text", mimeType: "text/plain", text: "embedded", _meta: { "example.com/e": null } } } },
          { role: "user", content: { type: "resource", resource: { uri: "mem://a/blob", blob: "AAEC" } } },
          { role: "user", content: { type: "resource_link", uri: odd, name: "link", title: "Link", size: 3, icons } },
        ],
      };
    case "ask": {
      const { answer } = await io.ask({ answer: form("before the prompt") });
      return { messages: [text("user", stable(answer))] };
    }
  }
  throw Object.assign(new Error(`Unknown prompt: ${name}`), { code: -32602 });
}

export function complete({ ref, argument, context }) {
  const all = ["alpha", "beta", "été", "\u2028", `${ref.name ?? ref.uri}`, argument.name, JSON.stringify(context ?? null)];
  const values = argument.value === "" ? all : all.filter((value) => value.startsWith(argument.value));
  return { completion: { values, total: values.length + 1000, hasMore: true }, _meta: { "example.com/c": [] } };
}

// The requests that a server may make of a client.

export const sampling = (text) => ({
  method: "sampling/createMessage",
  params: {
    messages: [
      { role: "user", content: { type: "text", text: `${text} \u2028 <&> 🎈` } },
      { role: "assistant", content: { type: "image", data: "iVBORw0KGgo=", mimeType: "image/png" } },
    ],
    systemPrompt: "Be brief.",
    modelPreferences: { hints: [{ name: "small" }], costPriority: 0.5, speedPriority: 1, intelligencePriority: 0 },
    temperature: 0.25,
    maxTokens: 100,
    stopSequences: ["\n\n"],
    metadata: { "example.com/x": [1, null] },
  },
});

export const form = (message) => ({
  method: "elicitation/create",
  params: {
    mode: "form",
    message,
    requestedSchema: {
      type: "object",
      properties: {
        name: { type: "string", title: "Näme", description: "<&>", minLength: 1, maxLength: 50 },
        mail: { type: "string", format: "email" },
        age: { type: "integer", minimum: 7, maximum: 150 },
        score: { type: "number", default: 95.5 },
        sure: { type: "boolean", default: false },
        color: { type: "string", enum: ["rot", "grün"] },
        shape: { type: "string", oneOf: [{ const: "c", title: "Circle" }, { const: "s", title: "Square" }] },
        several: { type: "array", minItems: 1, items: { type: "string", enum: ["x", "y"] } },
      },
      required: ["name", "age"],
    },
  },
});

export const url = (message) => ({
  method: "elicitation/create",
  params: { mode: "url", message, url: "https://example.com/connect?a=1&b=%2F#x" },
});

export const roots = () => ({ method: "roots/list" });
