// What a shop's page does with `@segment/analytics-next`, in headless Chromium: segment_browser.mjs HOST KEY
//
// The page comes from a server of its own, so that what it sends goes to another origin, as in a shop.
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { mkdtemp, rm } from "node:fs/promises";

const node = `${process.env.CLIENTS}/node`;
const { chromium } = createRequire(`${node}/`)("playwright-core");
const [host, writeKey] = process.argv.slice(2);
const tracker = `${node}/node_modules/@segment/analytics-next/dist/umd`;

const page = `<!doctype html><title>Boots</title><script src="/index.js"></script><script type="module">
const analytics = window.AnalyticsNext.AnalyticsBrowser.load({ writeKey: "${writeKey}", cdnURL: "${host}" });
window.sent = [];
const note = async (call) => window.sent.push((await call).event.type);
window.done = (async () => {
  await analytics.ready?.();
  await note(analytics.page("Shop", "Boots"));
  await note(analytics.track("Product Viewed", { name: "Socks" }));
  await note(analytics.identify("ada", { first_name: "Ada", phone: "+4790000000" }));
  await note(analytics.track("Product Added", { name: "Støvler", price: 120.5 }));
  await note(analytics.group("acme", { plan: "pro" }));
})();
</script>`;
const shop = createServer((request, response) => {
  if (/^\/[\w.-]+\.js$/.test(request.url)) {
    response.setHeader("content-type", "text/javascript");
    createReadStream(tracker + request.url).on("error", () => response.writeHead(404).end()).pipe(response);
  } else {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(page);
  }
});
await new Promise((listening) => shop.listen(0, "127.0.0.1", listening));

const profile = await mkdtemp(`${tmpdir()}/shop-`);
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  timezoneId: "Europe/Oslo",
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});
let failed = "";
try {
  const tab = await browser.newPage();
  tab.on("console", (message) => console.error("page:", message.text()));
  tab.on("pageerror", (error) => console.error("page:", error.message));
  const answered = { ok: 0 };
  tab.on("response", (response) => {
    if (response.url().startsWith(`${host}/v1/`) && response.request().method() === "POST" && response.ok()) answered.ok += 1;
  });
  await tab.goto(`http://127.0.0.1:${shop.address().port}/boots`);
  await tab.evaluate(() => window.done);
  // What could not be sent at first is sent again later, by the tracker's own clock.
  const until = Date.now() + 60_000;
  while (answered.ok < 5 && Date.now() < until) await tab.waitForTimeout(50);
  if (answered.ok < 5) failed = `only ${answered.ok} of 5 calls were answered`;
} finally {
  await browser.close();
  shop.close();
  await rm(profile, { recursive: true, force: true });
}
if (failed) {
  console.error(failed);
  process.exit(1);
}
