// What both servers share: one line of NDJSON an event on standard output, an end
// when standard input closes (so that no server outlives the test that started
// it), and the raw text of the request at hand.
import { AsyncLocalStorage } from "node:async_hooks";
import { createServer } from "node:http";

export const note = (event) => process.stdout.write(JSON.stringify(event) + "\n");

const body = new AsyncLocalStorage();

// The text of the request that is being handled.
export const rawBody = () => body.getStore();

// Numbers and spellings that JSON.stringify cannot write are strings like
// "raw(1.0)" up to here, where the answer leaves. Its length is another then.
function withRaw(res) {
  const writeHead = res.writeHead.bind(res);
  res.writeHead = (status, headers = {}) => {
    return writeHead(status, Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== "content-length")));
  };
  const unwrap = (chunk) => {
    if (chunk === undefined || chunk === null || typeof chunk === "function") return chunk;
    const text = Buffer.from(chunk).toString("utf8");
    return text.includes('"raw(') ? text.replace(/"raw\(((?:[^"\\]|\\.)*)\)"/g, (_, inner) => JSON.parse(`"${inner}"`)) : chunk;
  };
  for (const method of ["write", "end"]) {
    const original = res[method].bind(res);
    res[method] = (chunk, ...rest) => original(unwrap(chunk), ...rest);
  }
  return res;
}

// Listens on the loopback port of the command line (0 takes a free one) and calls
// handle(request, response, parsedBody, url).
export function serve(handle) {
  const server = createServer(async (req, res) => {
    try {
      const chunks = [];
      for await (const chunk of req) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString("utf8");
      await body.run(text, () => handle(req, text.includes('"numbers"') ? withRaw(res) : res, text ? JSON.parse(text) : undefined, new URL(req.url, "http://host")));
    } catch (err) {
      note({ event: "trouble", error: String(err?.stack ?? err) });
      if (!res.headersSent) res.writeHead(500).end();
    }
  });
  server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => note({ event: "listening", port: server.address().port }));
  process.stdin.resume().on("end", () => process.exit(0));
}
