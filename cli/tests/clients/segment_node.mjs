// What a shop's server does with `@segment/analytics-node`: segment_node.mjs HOST KEY
import { createRequire } from "node:module";

const require = createRequire(`${process.env.CLIENTS}/node/`);
const { Analytics } = require("@segment/analytics-node");
const [host, writeKey] = process.argv.slice(2);
const failures = [];
const analytics = new Analytics({ host, writeKey, flushInterval: 100, httpRequestTimeout: 5_000, maxRetries: 5 });
analytics.on("error", (error) => failures.push(error));
const timestamp = new Date();
const userId = "ada";
analytics.identify({ userId, traits: { first_name: "Ada", phone: "+4790000000" }, timestamp });
analytics.track({ userId, event: "Product Added", properties: { name: "Støvler", price: 120.5 }, timestamp, context: { timezone: "Europe/Oslo" } });
analytics.page({ userId, category: "Shop", name: "Boots", properties: { url: "https://shop.example/boots" }, timestamp });
analytics.screen({ userId, name: "Cart", timestamp });
analytics.group({ userId, groupId: "acme", traits: { plan: "pro" }, timestamp });
analytics.track({ anonymousId: "visitor-1", event: "Product Viewed", properties: { name: "Socks" }, timestamp });
analytics.alias({ userId, previousId: "visitor-1", timestamp });
await analytics.closeAndFlush({ timeout: 60_000 });
if (failures.length) {
  console.error("not delivered:", failures);
  process.exit(1);
}
