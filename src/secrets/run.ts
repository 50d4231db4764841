import { inheritedEnv } from "../kit/child-env.ts";
import type { Context } from "../kit/context.ts";
import { Exit, usage } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { oneLine } from "../kit/text.ts";
import { PrivateFolder, unsealedPlace } from "./bw/folder.ts";
import { type Ended, runCommand } from "./child.ts";
import { readEnvFile } from "./env-file.ts";
import { writeSecret } from "./file-secret.ts";
import { isLongEnough, needlesFor } from "./mask/forms.ts";
import { isReference, parseReference, type Reference } from "./reference.ts";
import type { Resolution, Unresolved } from "./resolve.ts";

/** A variable of the command, and the secret in it. */
export interface Assignment {
  readonly name: string;
  readonly value: string;
}

export const MASKS = ["auto", "always", "never"] as const;

export interface RunWords {
  readonly command: readonly string[];
  /** From the weakest to the strongest: our own environment, files, `env`; `files` beside them. */
  readonly envFiles: readonly string[];
  readonly env: readonly Assignment[];
  readonly files: readonly Assignment[];
  readonly inherit: boolean;
  readonly mask: (typeof MASKS)[number];
}

/** What references stand for, in their order. */
export type ReadReferences = (references: readonly Reference[]) => Promise<readonly Resolution[]>;

/** What the command gets, before and after its references are read. */
interface Plan {
  readonly env: Readonly<Record<string, string>>;
  /** Variables that will hold the path of a file. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Runs a command with secrets in its environment or in files in memory. All references are read first, by one bw that has ended
 * when the command starts; where one is not found there is no command. @param read not called without references.
 */
export async function runWithSecrets(context: Context, words: RunWords, read: ReadReferences): Promise<Ended> {
  const plan = planOf(context, words);
  const secrets = await readSecrets(context, plan, read);
  const masked = maskedStreams(context, words.mask);
  const values = [...secrets.values()];
  const masks = masked.length > 0 && values.some(isLongEnough);
  if (masked.length > 0) warnOfShort(context, plan, secrets);
  if (plan.files.size > 0) warnOfDisk(context);
  const folder = masks || plan.files.size > 0 ? new PrivateFolder(context) : null;
  try {
    const env = { ...plan.env };
    for (const [name, value] of Object.entries(plan.env)) env[name] = withoutZero(name, secrets.get(value) ?? value);
    for (const [name, reference] of plan.files)
      env[name] = writeSecret(folder?.path ?? "", name, secrets.get(reference) ?? "");
    return await runCommand({
      words: words.command,
      env,
      cwd: context.cwd,
      masked: masks ? masked : [],
      needles: masks ? needlesFor(values) : [],
      folder: folder?.path ?? null,
      onSignal: context.onSignal,
    });
  } finally {
    folder?.remove();
  }
}

function planOf(context: Context, words: RunWords): Plan {
  const env = inheritedEnv(context.env, words.inherit);
  for (const file of words.envFiles) for (const [name, value] of readEnvFile(file)) env[name] = value;
  for (const { name, value } of words.env) env[name] = requireReference("--env", name, value);
  const files = new Map<string, string>();
  for (const { name, value } of words.files) {
    if (files.has(name) || words.env.some((other) => other.name === name))
      throw usage(`The variable ${name} is given twice.`, "Leave one of them out.");
    files.set(name, requireReference("--file", name, value));
    delete env[name];
  }
  return { env, files };
}

/** The value is not said again: it may be the secret itself, which has no business in arguments. */
function requireReference(flag: string, name: string, value: string): string {
  if (isReference(value)) return value;
  throw usage(
    `The value of ${flag} ${name} is not a reference to a secret.`,
    `Type ${flag} ${name}=bw://ITEM/FIELD; what is no secret stands before the command: ${name}=… alai secrets run -- …`,
  );
}

/** The values by their references. The vault is closed, and its bw gone, when this returns. */
async function readSecrets(context: Context, plan: Plan, read: ReadReferences): Promise<Map<string, string>> {
  const wanted = [...new Set([...Object.values(plan.env), ...plan.files.values()].filter(isReference))];
  const references = wanted.map((raw) => parsed(plan, raw));
  if (references.length === 0) return new Map();
  const found = await read(references);
  const missing = found.filter((one) => "code" in one);
  if (missing.length > 0) throw unresolved(context, plan, missing);
  return new Map(found.flatMap((one, at) => ("value" in one ? [[wanted[at] ?? "", one.value] as const] : [])));
}

function parsed(plan: Plan, raw: string) {
  try {
    return parseReference(raw);
  } catch (error) {
    throw usage(
      `${variablesOf(plan, raw)}: ${(error as Error).message}`,
      error instanceof Error && "hint" in error ? String(error.hint) : undefined,
    );
  }
}

/** What is wrong with each, with the variables that wanted it and what to type for it: several are a line each. */
function unresolved(context: Context, plan: Plan, missing: readonly Unresolved[]): Exit {
  const exit = missing.every(({ code }) => code === "not_found") ? EXIT.notFound : EXIT.refused;
  const [code = "", ...otherCodes] = new Set<string>(missing.map((one) => one.code));
  const refusal = (message: string, hint?: string) =>
    new Exit(exit, otherCodes.length > 0 ? "unresolved" : code, `The command was not started${message}`, hint);
  const sentences = missing.map(({ reference, message }) => `${variablesOf(plan, reference.raw)}: ${message}`);
  const [only = "", ...others] = sentences;
  if (others.length === 0) return refusal(`. ${only}`, missing[0]?.hint);
  const lines = sentences.map((sentence, at) => [sentence, missing[at]?.hint].filter(Boolean).join(" "));
  // With --json an error is one line.
  if (context.flags.json) return refusal(`. ${lines.join(" ")}`);
  context.io.err(lines.map((line) => `${oneLine(line)}\n`).join(""));
  return refusal(`: ${lines.length} references give nothing.`);
}

function variablesOf(plan: Plan, raw: string): string {
  const all = [...Object.entries(plan.env), ...plan.files];
  return all.flatMap(([name, value]) => (value === raw ? [oneLine(name)] : [])).join(", ");
}

/** The system ends a variable there, and Node would say the whole value in its refusal. */
function withoutZero(name: string, value: string): string {
  if (!value.includes("\0")) return value;
  throw new Exit(
    EXIT.refused,
    "zero_byte",
    `The command was not started. ${oneLine(name)}: its secret has a zero byte, which no environment can hold.`,
    "Give it as a file: --file.",
  );
}

function maskedStreams({ io }: Context, mask: RunWords["mask"]): (1 | 2)[] {
  if (mask === "never") return [];
  const out: (1 | 2)[] = mask === "always" || !io.stdoutIsTty ? [1] : [];
  return mask === "always" || !io.stderrIsTty ? [...out, 2] : out;
}

function warnOfDisk(context: Context): void {
  const { root, inMemory } = unsealedPlace(context);
  if (!inMemory && !context.flags.quiet)
    context.warn(`there is no folder in memory here, so the files are in ${root} while the command runs (mode 600)`);
}

function warnOfShort(context: Context, plan: Plan, secrets: ReadonlyMap<string, string>): void {
  const short = [...secrets].filter(([, value]) => !isLongEnough(value)).map(([raw]) => variablesOf(plan, raw));
  if (short.length === 0 || context.flags.quiet) return;
  context.warn(`shorter than 5 characters, so not masked in the output: ${short.join(", ")}`);
}
