/** A fault proxy as its own process, so that a test can freeze it: `node .. UPSTREAM_URL`. */
import { startFaultProxy } from "../../src/io/fault-proxy.ts";

const [upstreamUrl = ""] = process.argv.slice(2);
const proxy = await startFaultProxy({ upstreamUrl });
console.log(`listening ${proxy.url}`);
