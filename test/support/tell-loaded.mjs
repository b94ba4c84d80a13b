// Imported into a program under test: at its exit it says what has been loaded, in one line on stderr.
import { createRequire } from "node:module";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  process.on("exit", () => {
    const packages = Object.keys(createRequire(import.meta.url).cache);
    console.error(`LOADED ${JSON.stringify([...process.moduleLoadList, ...packages])}`);
  });
}
