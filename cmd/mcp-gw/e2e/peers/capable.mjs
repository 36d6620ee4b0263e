// A client that can do all that a server may ask of one, and remembers what it
// was asked and told. Its answers follow from the question alone, so that two
// connections of it answer alike.
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import * as v1 from "@modelcontextprotocol/sdk/types.js";
import * as v2 from "@modelcontextprotocol/client";

const capabilities = { sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true } };

// For each kind of property the first of what its schema allows.
function fill(schema) {
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (schema.oneOf) return schema.oneOf[0].const;
  switch (schema.type) {
    case "boolean":
      return true;
    case "integer":
    case "number":
      return schema.minimum ?? 7;
    case "array":
      return [schema.items.enum?.[0] ?? schema.items.anyOf[0].const];
    default:
      return { email: "a@example.com", uri: "https://example.com/", date: "2026-01-02", "date-time": "2026-01-02T03:04:05Z" }[schema.format] ?? "téxt";
  }
}

const answers = {
  "sampling/createMessage": () => ({
    model: "the-model",
    role: "assistant",
    content: { type: "text", text: "sampled \u2028 <&> 🎈" },
    stopReason: "endTurn",
    _meta: { "example.com/s": 1.5 },
  }),
  "elicitation/create": ({ mode, message, requestedSchema }) => {
    const other = /^(decline|cancel)/.exec(message);
    if (other) return { action: other[1] };
    if (mode === "url") return { action: "accept" };
    const properties = Object.entries(requestedSchema.properties);
    return { action: "accept", content: Object.fromEntries(properties.map(([name, schema]) => [name, fill(schema)])) };
  },
  "roots/list": () => ({ roots: [{ uri: "file:///srv/%C3%A9", name: "ünïcödé" }, { uri: "file:///srv/b" }] }),
};

const told = ["message", "resources/updated", "elicitation/complete"].map((name) => `notifications/${name}`);

const schemasV1 = {
  "sampling/createMessage": v1.CreateMessageRequestSchema,
  "elicitation/create": v1.ElicitRequestSchema,
  "roots/list": v1.ListRootsRequestSchema,
  "notifications/message": v1.LoggingMessageNotificationSchema,
  "notifications/resources/updated": v1.ResourceUpdatedNotificationSchema,
  "notifications/elicitation/complete": v1.ElicitationCompleteNotificationSchema,
  "notifications/tools/list_changed": v1.ToolListChangedNotificationSchema,
  "notifications/prompts/list_changed": v1.PromptListChangedNotificationSchema,
  "notifications/resources/list_changed": v1.ResourceListChangedNotificationSchema,
};

export function capableClient(sdk) {
  const info = { name: "capable", version: "1.0.0", title: "Capable" };
  const events = [];
  const lists = ["tools", "prompts", "resources"];
  const changed = (kind) => `notifications/${kind}/list_changed`;
  let client;
  if (sdk === "v1") {
    client = new ClientV1(info, { capabilities });
    for (const kind of lists) client.setNotificationHandler(schemasV1[changed(kind)], () => events.push({ method: changed(kind) }));
  } else {
    const onChange = (kind) => [kind, { autoRefresh: false, debounceMs: 0, onChanged: () => events.push({ method: changed(kind) }) }];
    client = new v2.Client(info, {
      capabilities,
      ...(sdk === "v2-auto" && { versionNegotiation: { mode: "auto" } }),
      listChanged: Object.fromEntries(lists.map(onChange)),
    });
  }
  const key = (method) => (sdk === "v1" ? schemasV1[method] : method);
  for (const [method, answer] of Object.entries(answers)) {
    client.setRequestHandler(key(method), ({ params }) => {
      events.push({ asked: true, method, params });
      return answer(params);
    });
  }
  for (const method of told) client.setNotificationHandler(key(method), ({ params }) => void events.push({ method, params }));
  client.events = events;
  client.open = new Map(); // URI -> subscription of the 2026 era
  return client;
}

// Sends one request by the method that the SDK has for it.
export function request(client, method, params, options) {
  const old = client instanceof ClientV1;
  // The 2.x client would answer from its cache.
  const fresh = old ? options : { ...options, cacheMode: "refresh" };
  switch (method) {
    case "ping":
      return client.ping(options);
    case "notifications/roots/list_changed":
      return client.sendRootsListChanged();
    case "tools/list":
      return client.listTools(params, fresh);
    case "tools/call":
      return old ? client.callTool(params, undefined, options) : client.callTool(params, options);
    case "prompts/list":
      return client.listPrompts(params, fresh);
    case "prompts/get":
      return client.getPrompt(params, options);
    case "resources/list":
      return client.listResources(params, fresh);
    case "resources/templates/list":
      return client.listResourceTemplates(params, fresh);
    case "resources/read":
      return client.readResource(params, fresh);
    case "completion/complete":
      return client.complete(params, options);
    case "logging/setLevel":
      return client.setLoggingLevel(params.level, options);
    case "resources/subscribe":
      if (!old && client.getNegotiatedProtocolVersion() >= "2026") {
        return client.listen({ resourceSubscriptions: [params.uri] }, options).then((open) => (client.open.set(params.uri, open), {}));
      }
      return client.subscribeResource(params, options);
    case "resources/unsubscribe":
      if (client.open.has(params.uri)) return client.open.get(params.uri).close().then(() => ({}));
      return client.unsubscribeResource(params, options);
  }
  throw new Error(`no such method here: ${method}`);
}
