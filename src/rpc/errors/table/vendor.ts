/**
 * Answers whose usual reading, by HTTP status, words or code, would be wrong: these rules speak before
 * all others, the first that matches decides.
 */
import { LOGS, TRACES, WRITES, type TableRule } from "../rules.ts";

/** Rules of one vendor or client, first match wins. */
export const VENDOR_RULES: readonly TableRule[] = [
  {
    codes: [429],
    class: "rate_limit",
    source: "Alchemy: a throttled batch is HTTP 200 (gitcoinco/grants-stack-indexer#156)",
  },
  { codes: [-32046], class: "rate_limit", source: "Cloudflare: Cannot fulfill request" },
  { codes: [-32090], class: "rate_limit", source: "Ankr: call rate limit exhausted" },
  {
    codes: [-32007],
    methods: ["eth_*"],
    texts: ["request limit"],
    class: "rate_limit",
    source: "QuickNode: 15/second request limit reached (BobTheBuidler/dank_mids#684)",
  },
  { codes: [30], class: "rate_limit", source: "dRPC error table; enviodev/hyperindex#715" },
  { codes: [35], class: "capability", source: "dRPC error table: ranges over 10000 blocks" },
  { codes: [26], class: "block_unavailable", source: "dRPC error table: unknown block" },
  { codes: [14], class: "server", source: "dRPC error table: cancelled by its upstream" },
  { codes: [-32701], class: "capability", source: "PublicNode: archive and heavy calls" },
  { codes: [-31001, -31002], class: "server", source: "Pocket: no node of theirs answered" },
  {
    codes: [4444],
    class: "capability",
    source: "EIP-4444, pruned history (ethereum/execution-apis#636, NethermindEth/nethermind#9539)",
  },
  {
    texts: ["sender is over rate limit"],
    class: "tx_rejected",
    source: "OP stack: the sequencer limits the sender, not us (erpc/erpc#816)",
  },
  {
    texts: ["insufficient funds"],
    methods: TRACES,
    class: "unmatched",
    source: "a simulation may lack funds on one node's state only (erpc/erpc#982)",
  },
  {
    codes: [3],
    texts: ["missing trie node", "missing data", "missing block"],
    class: "block_unavailable",
    source: "Alchemy: the revert code for missing state (erpc/erpc#999)",
  },
  {
    codes: [3],
    methods: WRITES,
    class: "tx_rejected",
    source: "zkSync: validation of a transaction under the revert code (matter-labs/zksync#442)",
  },
  {
    texts: ["to access archive state", "archive requests require"],
    class: "capability",
    source:
      "Infura, PublicNode: HTTP 403 for old state only (miguelmota/ethereum-development-with-go-book#42)",
  },
  {
    texts: ["method is not whitelisted"],
    class: "capability",
    source: "proxyd: HTTP 403 for one method (ethereum-optimism/infra:proxyd/backend.go)",
  },
  {
    texts: ["backend response too large"],
    class: "capability",
    source: "proxyd: HTTP 500 for a large answer (ethereum-optimism/infra:proxyd/backend.go)",
  },
  {
    codes: [-32010],
    texts: ["backend"],
    class: "server",
    source: "proxyd: backend offline, a code that elsewhere rejects transactions",
  },
  {
    codes: [-32015],
    texts: ["timeout", "timed out"],
    class: "server",
    source: "proxyd: gateway timeout, a code that elsewhere is a VM error",
  },
  {
    codes: [-32005],
    texts: ["range", "limit exceeded", "address"],
    methods: LOGS,
    class: "capability",
    source: "BSC, Besu, MASQ's endpoints: the code of rate limits (bnb-chain/bsc#1215)",
  },
];
