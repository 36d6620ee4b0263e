// A server of the TypeScript SDK 2.x on /mcp: the stateless 2026-07-28 protocol,
// and what the SDK itself offers to older clients.   usage: node server-v2.mjs PORT
import { toNodeHandler } from "@modelcontextprotocol/node";
import { CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, createMcpHandler, inputRequired, Server } from "@modelcontextprotocol/server";
import { complete, listed, prompt, prompts, read, resources, templates } from "./features.mjs";
import { rawMember } from "./raw.mjs";
import { note, rawBody, serve } from "./serve.mjs";
import { call, tools } from "./tools.mjs";

// Answers that the client has not given yet: the handler is left, and entered
// again with them.
class Missing {
  constructor(result) {
    this.result = result;
  }
}

// What call, read and prompt may do besides answering.
function io({ mcpReq }) {
  const token = mcpReq._meta?.progressToken;
  return {
    signal: mcpReq.signal,
    meta: mcpReq._meta,
    client: { info: mcpReq.envelope?.[CLIENT_INFO_META_KEY], capabilities: mcpReq.envelope?.[CLIENT_CAPABILITIES_META_KEY] },
    notFound: -32602,
    note,
    progress: async (progress, total, message) => {
      if (token === undefined) return;
      await mcpReq.notify({ method: "notifications/progress", params: { progressToken: token, progress, total, message } });
    },
    log: (level, data, logger) => mcpReq.log(level, data, logger),
    changed: async (kind) => handler.notify[`${kind}Changed`](),
    updated: async (uri) => handler.notify.resourceUpdated(uri),
    ask: async (requests) => {
      const answers = { ...JSON.parse(mcpReq.requestState() ?? "{}"), ...mcpReq.inputResponses };
      const missing = Object.entries(requests)
        .filter(([key]) => answers[key] === undefined)
        // The Go SDK's client wants params in each request.
        .map(([key, request]) => [key, { params: {}, ...request }]);
      if (missing.length === 0) return answers;
      throw new Missing(inputRequired({ inputRequests: Object.fromEntries(missing), requestState: JSON.stringify(answers) }));
    },
  };
}

const asking = (handle) => async (request, ctx) => {
  try {
    return await handle(request, io(ctx));
  } catch (err) {
    if (err instanceof Missing) return err.result;
    throw err;
  }
};

const handler = createMcpHandler(
  () => {
    const server = new Server(
      { name: "typescript-v2", version: "2.0.0" },
      {
        capabilities: {
          tools: { listChanged: true },
          prompts: { listChanged: true },
          resources: { listChanged: true, subscribe: true },
          completions: {},
          logging: {},
        },
        instructions: "Served by the TypeScript SDK 2.x.",
      },
    );
    server.setRequestHandler("tools/list", () => ({ tools: tools(), ...listed }));
    server.setRequestHandler("tools/call", asking(({ params }, io) => call(params.name, params.arguments ?? {}, rawMember(rawBody(), "params", "arguments"), io)));
    server.setRequestHandler("resources/list", () => ({ resources: resources(), ...listed }));
    server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: templates, ...listed }));
    server.setRequestHandler("resources/read", asking(({ params }, io) => read(params.uri, io)));
    server.setRequestHandler("prompts/list", () => ({ prompts: prompts(), ...listed }));
    server.setRequestHandler("prompts/get", asking(({ params }, io) => prompt(params.name, params.arguments, io)));
    server.setRequestHandler("completion/complete", ({ params }) => complete(params));
    return server;
  },
  { onerror: (err) => note({ event: "trouble", error: String(err) }) },
);

const node = toNodeHandler(handler);

serve((req, res, message, url) => (url.pathname === "/mcp" ? node(req, res, message) : res.writeHead(404).end()));
