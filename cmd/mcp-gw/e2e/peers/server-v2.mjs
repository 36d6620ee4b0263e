// A server of the TypeScript SDK 2.x on /mcp: the stateless 2026-07-28 protocol,
// and what the SDK itself offers to older clients.   usage: node server-v2.mjs PORT
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, Server } from "@modelcontextprotocol/server";
import { rawMember } from "./raw.mjs";
import { note, rawBody, serve } from "./serve.mjs";
import { call, tools } from "./tools.mjs";

const handler = createMcpHandler(
  () => {
    const server = new Server(
      { name: "typescript-v2", version: "2.0.0" },
      { capabilities: { tools: { listChanged: true } }, instructions: "Served by the TypeScript SDK 2.x." },
    );
    server.setRequestHandler("tools/list", () => ({ tools: tools() }));
    server.setRequestHandler("tools/call", ({ params }, ctx) => {
      const token = ctx.mcpReq._meta?.progressToken;
      return call(params.name, params.arguments ?? {}, rawMember(rawBody(), "params", "arguments"), {
        signal: ctx.mcpReq.signal,
        note,
        progress: async (progress, total, message) => {
          if (token === undefined) return;
          await ctx.mcpReq.notify({
            method: "notifications/progress",
            params: { progressToken: token, progress, total, message },
          });
        },
        changed: async () => handler.notify.toolsChanged(),
      });
    });
    return server;
  },
  { onerror: (err) => note({ event: "trouble", error: String(err) }) },
);

const node = toNodeHandler(handler);

serve((req, res, message, url) => (url.pathname === "/mcp" ? node(req, res, message) : res.writeHead(404).end()));
