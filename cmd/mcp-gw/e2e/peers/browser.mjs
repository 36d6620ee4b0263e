// Debian's Chromium, driven over standard input: one JSON command a line, answered by
// one JSON line that repeats its `id`. `as` names a tab, which has a profile of its own;
// `on` is a selector of playwright's, such as role=button[name="Run"].
//
//   {id, op: "open", as, url, theme: "dark"|"light", width, height, touch, lax, slips}   lax: the page's policy is not enforced; slips: window.ahead puts its clock forward
//   {id, op: "go", as, url}                  another address in the same tab
//   {id, op: "size", as, width, height}
//   {id, op: "click"|"see"|"gone"|"text"|"count"|"hover", as, on, within}         within: ms; 30000 by default
//   {id, op: "fill", as, on, text}
//   {id, op: "choose", as, on, text}         an option of a select, by its label
//   {id, op: "press", as, keys, on}          on: what gets them; else what has the focus
//   {id, op: "run", as, script}              the value of an expression in the page
//   {id, op: "html", as}
//   {id, op: "problems", as}                 what the console and the policy complained of since
//   {id, op: "axe", as}                      violations of WCAG and of good practice; lax tabs only
//   {id, op: "cost", as}                     {busyMs, heapBytes} after a collection
//   {id, op: "offline", as, offline}
//   {id, op: "shot", as, path, whole}        a picture; whole: of the page, not of the window
//   {id, op: "close", as}
//
// The process ends with its input.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const tabs = new Map(); // name -> {context, page, problems}
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: [...(process.getuid() === 0 ? ["--no-sandbox"] : []), "--disable-dev-shm-usage", "--enable-precise-memory-info"],
});

// Runs in the page before anything of it does.
function watchPolicy() {
  addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} refused ${e.blockedURI} at ${e.sourceFile}:${e.lineNumber} ${e.sample}`));
}

function slip() {
  const now = Date.now;
  Date.now = () => now() + (window.ahead ?? 0);
}

const page = (command) => {
  const tab = tabs.get(command.as);
  if (!tab) throw new Error(`no tab is called ${command.as}`);
  return tab.page;
};
const found = (command) => page(command).locator(command.on).first();
const patience = (command) => ({ timeout: command.within ?? 30_000 });

// A container that starts or ends changes the networks of its machine, and a browser there
// gives up what is open. The page asks for its own parts again; without its first script
// there is none to do so, and a person would load it anew.
async function load({ page, problems }, url) {
  for (let left = 3; ; left--) {
    const before = problems.length;
    const changed = () => problems.slice(before).some((p) => p.includes("ERR_NETWORK_CHANGED"));
    try {
      await page.goto(url, { waitUntil: "domcontentloaded" });
    } catch (e) {
      if (left === 0 || !String(e).includes("ERR_NETWORK_CHANGED")) throw e;
      continue;
    }
    const there = page.waitForFunction(() => document.getElementById("app")?.childElementCount !== 0, null, { timeout: 3000 });
    if (await there.then(() => true, () => left === 0 || !changed())) return;
    await page.goto("about:blank");
  }
}

const ops = {
  async open({ as, url, theme, width, height, touch, lax, slips }) {
    const context = await browser.newContext({
      colorScheme: theme ?? "dark",
      viewport: { width: width ?? 1280, height: height ?? 800 },
      hasTouch: touch ?? false,
      isMobile: touch ?? false,
      bypassCSP: lax ?? false,
      reducedMotion: "reduce",
      permissions: ["clipboard-read", "clipboard-write"],
      acceptDownloads: true,
    });
    const page = await context.newPage();
    const problems = [];
    await page.addInitScript(watchPolicy);
    if (slips) await page.addInitScript(slip);
    page.on("console", (m) => ["error", "warning"].includes(m.type()) && problems.push(`${m.type()}: ${m.text()} (${m.location().url})`));
    page.on("pageerror", (e) => problems.push(`uncaught: ${e.stack ?? e}`));
    tabs.set(as, { context, page, problems });
    await load(tabs.get(as), url);
    return {};
  },
  async go(command) {
    page(command); // there is one
    await load(tabs.get(command.as), command.url);
    return {};
  },
  async size(command) {
    await page(command).setViewportSize({ width: command.width, height: command.height });
    return {};
  },
  async click(command) {
    await found(command).click(patience(command));
    return {};
  },
  async hover(command) {
    await found(command).hover(patience(command));
    return {};
  },
  async see(command) {
    await found(command).waitFor({ state: "visible", ...patience(command) });
    return found(command).innerText();
  },
  async gone(command) {
    await found(command).waitFor({ state: "hidden", ...patience(command) });
    return {};
  },
  async text(command) {
    return found(command).innerText(patience(command));
  },
  async count(command) {
    return page(command).locator(command.on).count();
  },
  async fill(command) {
    await found(command).fill(command.text, patience(command));
    return {};
  },
  async choose(command) {
    await found(command).selectOption({ label: command.text }, patience(command));
    return {};
  },
  async press(command) {
    if (command.on) await found(command).press(command.keys, patience(command));
    else await page(command).keyboard.press(command.keys);
    return {};
  },
  async run(command) {
    return (await page(command).evaluate(command.script)) ?? null;
  },
  async html(command) {
    return page(command).content();
  },
  async problems(command) {
    page(command);
    return tabs.get(command.as).problems.splice(0);
  },
  async axe(command) {
    await page(command).evaluate(axeSource + ";0");
    return page(command).evaluate(async () => {
      const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
      const { violations, passes } = await window.axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] });
      return {
        passes: passes.length,
        violations: violations.map((v) => `${v.id} (${v.impact}): ${v.help}: ` + v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} ${n.html.slice(0, 200)} ${n.failureSummary}`).join(" | ")),
      };
    });
  },
  async cost(command) {
    const tab = tabs.get(command.as);
    tab.cdp ??= await tab.context.newCDPSession(tab.page);
    await tab.cdp.send("Performance.enable", { timeDomain: "threadTicks" });
    const read = async () => new Map((await tab.cdp.send("Performance.getMetrics")).metrics.map((m) => [m.name, m.value]));
    const busy = (await read()).get("TaskDuration");
    await tab.cdp.send("HeapProfiler.collectGarbage");
    const after = await read();
    return { busyMs: busy * 1000, heapBytes: after.get("JSHeapUsedSize"), nodes: after.get("Nodes"), after: after.get("TaskDuration") * 1000 };
  },
  async offline(command) {
    await tabs.get(command.as).context.setOffline(command.offline);
    return {};
  },
  async shot(command) {
    await page(command).screenshot({ path: command.path, fullPage: command.whole ?? false, animations: "disabled" });
    return {};
  },
  async close({ as }) {
    await tabs.get(as)?.context.close();
    tabs.delete(as);
    return {};
  },
};

createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const command = JSON.parse(line);
    try {
      say({ id: command.id, value: await ops[command.op](command) });
    } catch (err) {
      say({ id: command.id, error: { message: String(err?.message ?? err) } });
    }
  })
  .on("close", async () => {
    await browser.close();
    process.exit(0);
  });
say({ event: "ready" });
