// A server of the TypeScript SDK 1.x: streamable HTTP with sessions on /mcp, and
// the older HTTP+SSE transport on /sse.   usage: node server-v1.mjs PORT
import { randomUUID } from "node:crypto";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  LoggingLevelSchema,
  ReadResourceRequestSchema,
  ResultSchema,
  RootsListChangedNotificationSchema,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { complete, listed, prompt, prompts, read, resources, templates } from "./features.mjs";
import { rawMember } from "./raw.mjs";
import { note, rawBody, serve } from "./serve.mjs";
import { call, tools } from "./tools.mjs";

const sessions = new Map(); // session id -> { server, transport }

const severities = LoggingLevelSchema.options; // from debug to emergency

const each = (tell) => Promise.all([...sessions.values()].map(({ server }) => tell(server)));

const announce = {
  tools: (server) => server.sendToolListChanged(),
  prompts: (server) => server.sendPromptListChanged(),
  resources: (server) => server.sendResourceListChanged(),
};

// Asks the user to open a page, and says that this was done.
async function open(extra, { method, params }) {
  const elicitationId = "elicitation-1";
  const answer = await extra.sendRequest({ method, params: { ...params, elicitationId } }, ResultSchema);
  await extra.sendNotification({ method: "notifications/elicitation/complete", params: { elicitationId } });
  return answer;
}

// What call, read and prompt may do besides answering.
function io(server, extra) {
  const token = extra._meta?.progressToken;
  return {
    signal: extra.signal,
    meta: extra._meta,
    client: { info: server.getClientVersion(), capabilities: server.getClientCapabilities() },
    notFound: -32002,
    note,
    progress: async (progress, total, message) => {
      if (token === undefined) return;
      await extra.sendNotification({ method: "notifications/progress", params: { progressToken: token, progress, total, message } });
    },
    log: async (level, data, logger) => {
      if (severities.indexOf(level) < severities.indexOf(server.level)) return;
      await extra.sendNotification({ method: "notifications/message", params: { level, logger, data } });
    },
    changed: (kind) => each(announce[kind]),
    updated: (uri) => each((server) => server.subscribed.has(uri) && server.sendResourceUpdated({ uri })),
    ask: async (requests) => {
      const answers = {};
      await Promise.all(
        Object.entries(requests).map(async ([key, request]) => {
          // What was asked and answered before is passed through.
          if (!request.method) return (answers[key] = request);
          if (request.params?.mode === "url") {
            answers[key] = await open(extra, request);
          } else {
            answers[key] = await extra.sendRequest(request, ResultSchema);
          }
        }),
      );
      return Object.fromEntries(Object.keys(requests).map((key) => [key, answers[key]]));
    },
  };
}

function newServer() {
  const server = new Server(
    { name: "typescript-v1", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        completions: {},
        logging: {},
      },
      instructions: "Served by the TypeScript SDK 1.x.",
    },
  );
  server.level = "debug";
  server.subscribed = new Set();
  const on = (schema, handle) => server.setRequestHandler(schema, ({ params }, extra) => handle(params, io(server, extra)));
  on(ListToolsRequestSchema, () => ({
    // `execution` exists in this era only.
    tools: tools().map((tool) => (tool.name === "slow" ? { ...tool, execution: { taskSupport: "forbidden" } } : tool)),
    ...listed,
  }));
  on(CallToolRequestSchema, (params, io) => call(params.name, params.arguments ?? {}, rawMember(rawBody(), "params", "arguments"), io));
  on(ListResourcesRequestSchema, () => ({ resources: resources(), ...listed }));
  on(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: templates, ...listed }));
  on(ReadResourceRequestSchema, ({ uri }, io) => read(uri, io));
  on(ListPromptsRequestSchema, () => ({ prompts: prompts(), ...listed }));
  on(GetPromptRequestSchema, (params, io) => prompt(params.name, params.arguments, io));
  on(CompleteRequestSchema, (params) => complete(params));
  on(SubscribeRequestSchema, ({ uri }) => (server.subscribed.add(uri), {}));
  on(UnsubscribeRequestSchema, ({ uri }) => (server.subscribed.delete(uri), {}));
  on(SetLevelRequestSchema, ({ level }) => ((server.level = level), {}));
  server.setNotificationHandler(RootsListChangedNotificationSchema, async () => {
    const data = await server.listRoots();
    await server.notification({ method: "notifications/message", params: { level: "info", logger: "roots", data } });
  });
  return server;
}

async function streamable(req, res, message) {
  const id = req.headers["mcp-session-id"];
  if (id) {
    const session = sessions.get(id);
    if (session) return session.transport.handleRequest(req, res, message);
    const error = { code: -32001, message: "Session not found" };
    return res.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify({ jsonrpc: "2.0", error, id: null }));
  }
  const server = newServer();
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.set(id, { server, transport }),
  });
  transport.onclose = () => sessions.delete(transport.sessionId);
  await server.connect(transport);
  return transport.handleRequest(req, res, message);
}

serve(async (req, res, message, url) => {
  switch (`${req.method} ${url.pathname}`) {
    case "GET /sse": {
      const server = newServer();
      const transport = new SSEServerTransport("/message", res);
      sessions.set(transport.sessionId, { server, transport });
      transport.onclose = () => sessions.delete(transport.sessionId);
      return server.connect(transport);
    }
    case "POST /message": {
      const session = sessions.get(url.searchParams.get("sessionId"));
      return session ? session.transport.handlePostMessage(req, res, message) : res.writeHead(404).end();
    }
    default:
      return url.pathname === "/mcp" ? streamable(req, res, message) : res.writeHead(404).end();
  }
});
