import type { Profile } from "../auth/profile.ts";
import type { Context } from "../kit/context.ts";

/** How a step of setting a machine up went. Doing it again changes nothing that is right already. */
export interface StepResult {
  /** `done` it was made now; `ok` it was so; `none` nothing is asked of this machine; `left` a person must do something; `failed`. */
  readonly state: "done" | "ok" | "none" | "left" | "failed";
  /** What is there now, in a few words. */
  readonly finding: string;
  /** What is left for a person, a line each. */
  readonly todo: readonly string[];
}

export interface Step {
  readonly name: string;
  /** Throws what the commands throw; that is a step that failed. */
  readonly run: (setting: Setting) => Promise<StepResult>;
}

/** What every step of one run shares. */
export interface Setting {
  readonly context: Context;
  readonly profile: Profile;
  /** What was made of the profile a moment ago, in a few words; null: it was there, and in use. */
  readonly profileChange: string | null;
  readonly options: BootstrapOptions;
  /** What was given on standard input, where nobody can be asked. */
  readonly given: GivenSecrets | null;
}

export interface BootstrapOptions {
  /** Nobody is there, now or later. */
  readonly headless: boolean;
  /** The key in a file: a host without a keychain. */
  readonly insecure: boolean;
  /** What the company's repository brings for Claude Code to run or obey is trusted without being shown. */
  readonly trustHooks: boolean;
}

/** The JSON of `--secrets-from-stdin`. */
export interface GivenSecrets {
  /** The client secret by which this host signs in at the issuer. */
  readonly clientSecret?: string;
  readonly bitwarden?: { readonly clientId: string; readonly clientSecret: string; readonly password: string };
  /** Values by reference, for the day when the vault does not answer. */
  readonly breakGlass?: Readonly<Record<string, string>>;
}

export function ok(finding: string): StepResult {
  return { state: "ok", finding, todo: [] };
}

export function done(finding: string): StepResult {
  return { state: "done", finding, todo: [] };
}

export function none(finding: string): StepResult {
  return { state: "none", finding, todo: [] };
}

export function left(finding: string, ...todo: string[]): StepResult {
  return { state: "left", finding, todo };
}
