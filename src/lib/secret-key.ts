/** Keys made from a secret that people choose: each use has one of its own, of 32 bytes. */
import { createHash } from "node:crypto";

/** The key of `secret` for one use; `use` changes with the layout of what is signed. */
export const secretKey = (use: string, secret: string): Buffer =>
  createHash("sha256").update(`paceline ${use}\0${secret}`).digest();
