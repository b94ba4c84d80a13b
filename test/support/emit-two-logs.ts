/** Makes the node mine a block with logs. */
import type { Anvil } from "./anvil.ts";
import { TWO_LOGS, wordOf } from "./contracts.ts";
import { eventually } from "./eventually.ts";

/** One of the accounts that every node of the tests is started with. */
const SENDER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/** One transaction, one block, two logs with the number as topic; resolves with its hash when it is mined. */
export async function emitTwoLogs(node: Anvil, number: number): Promise<string> {
  const hash = await node.rpc("eth_sendTransaction", [
    { from: SENDER, to: TWO_LOGS.address, data: wordOf(number) },
  ]);
  // The answer may come before the block does.
  await eventually("the block is mined", async () => {
    return (await node.rpc("eth_getTransactionReceipt", [hash])) !== null;
  });
  return hash;
}
