/** The queue of the founding system keeps the contract of its kind. */
import { describe } from "vitest";
import { PolicyQueue } from "../../src/pairing/origin/policy-queue.ts";
import { policyQueueSuite } from "../suites/policy-queue.ts";

describe("the queue of policies", () => {
  // Nobody's time runs out.
  policyQueueSuite((capacity) => new PolicyQueue<string>(() => () => {}, capacity));
});
