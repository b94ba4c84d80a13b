/** One question to a running instance, printed once or again and again. */
import { AdminClient } from "./client.ts";
import type { WantedRole } from "./client.ts";
import { EXIT } from "./exit-codes.ts";
import { socketPath, watchMs } from "./options.ts";
import type { InstanceOptions } from "./options.ts";
import { paintFor } from "./terminal.ts";
import type { Paint, Terminal } from "./terminal.ts";

/** A command of the admin socket and how to show its reply. */
export interface Question {
  readonly cmd: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly role?: WantedRole;
  readonly replyMs?: number;
  /** Text for people; `--json` prints the reply itself. */
  readonly render: (reply: never, paint: Paint) => string;
}

/** Asks, prints, and with `--watch` does so until interrupted. */
export async function askAndShow(
  question: Question,
  options: InstanceOptions,
  terminal: Terminal,
): Promise<number> {
  return withClient(options, terminal, question.role ?? "viewer", async (client) => {
    const intervalMs = watchMs(options);
    const show = (reply: unknown): void => terminal.out(shown(question, reply, options, terminal));
    const ask = (): Promise<unknown> => client.ask(question.cmd, question.args, question.replyMs);
    if (intervalMs === undefined) {
      show(await ask());
      return EXIT.done;
    }
    for (;;) {
      const reply = await ask();
      if (terminal.isTty && options.json !== true) terminal.out(CLEAR);
      show(reply);
      await new Promise((done) => setTimeout(done, intervalMs));
    }
  });
}

/** Cursor home and everything below it erased: repainting without flicker. */
const CLEAR = "\u001B[H\u001B[2J";

function shown(
  question: Question,
  reply: unknown,
  options: InstanceOptions,
  terminal: Terminal,
): string {
  const isStream = watchMs(options) !== undefined;
  if (options.json === true) return `${JSON.stringify(reply, null, isStream ? 0 : 2)}\n`;
  return `${question.render(reply as never, paintFor(terminal))}\n`;
}

/** Opens a connection with the wanted rights, and closes it whatever happens. */
export async function withClient<T>(
  options: InstanceOptions,
  terminal: Terminal,
  role: WantedRole,
  use: (client: AdminClient) => Promise<T>,
): Promise<T> {
  const client = await AdminClient.open(socketPath(options, terminal.env), options.region);
  try {
    await client.raise(options.role ?? role);
    return await use(client);
  } finally {
    client.close();
  }
}
