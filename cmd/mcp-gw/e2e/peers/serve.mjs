// What both servers share: one line of NDJSON an event on standard output, an end
// when standard input closes (so that no server outlives the test that started
// it), and the raw text of the request at hand.
import { AsyncLocalStorage } from "node:async_hooks";
import { createServer } from "node:http";

export const note = (event) => process.stdout.write(JSON.stringify(event) + "\n");

const body = new AsyncLocalStorage();

// The text of the request that is being handled.
export const rawBody = () => body.getStore();

// Listens on the loopback port of the command line (0 takes a free one) and calls
// handle(request, response, parsedBody, url).
export function serve(handle) {
  const server = createServer(async (req, res) => {
    try {
      const chunks = [];
      for await (const chunk of req) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString("utf8");
      await body.run(text, () => handle(req, res, text ? JSON.parse(text) : undefined, new URL(req.url, "http://host")));
    } catch (err) {
      note({ event: "trouble", error: String(err?.stack ?? err) });
      if (!res.headersSent) res.writeHead(500).end();
    }
  });
  server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => note({ event: "listening", port: server.address().port }));
  process.stdin.resume().on("end", () => process.exit(0));
}
