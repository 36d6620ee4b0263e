// A server of the TypeScript SDK 1.x: streamable HTTP with sessions on /mcp, and
// the older HTTP+SSE transport on /sse.   usage: node server-v1.mjs PORT
import { randomUUID } from "node:crypto";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { rawMember } from "./raw.mjs";
import { note, rawBody, serve } from "./serve.mjs";
import { call, tools } from "./tools.mjs";

const sessions = new Map(); // session id -> { server, transport }

function newServer() {
  const server = new Server(
    { name: "typescript-v1", version: "1.0.0" },
    { capabilities: { tools: { listChanged: true } }, instructions: "Served by the TypeScript SDK 1.x." },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    // `execution` exists in this era only.
    tools: tools().map((tool) => (tool.name === "slow" ? { ...tool, execution: { taskSupport: "forbidden" } } : tool)),
  }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
    const token = params._meta?.progressToken;
    return call(params.name, params.arguments ?? {}, rawMember(rawBody(), "params", "arguments"), {
      signal: extra.signal,
      note,
      progress: async (progress, total, message) => {
        if (token === undefined) return;
        await extra.sendNotification({
          method: "notifications/progress",
          params: { progressToken: token, progress, total, message },
        });
      },
      changed: () => Promise.all([...sessions.values()].map((s) => s.server.sendToolListChanged())),
    });
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
