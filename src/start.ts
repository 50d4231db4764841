import type { Context } from "./kit/context.ts";

/** From the executable to what it was called for. Loads only that: the gate and the guard have no part in the rest. */
export async function start(words: readonly string[], isGate: boolean, entry: string): Promise<void> {
  if (isGate) {
    const { runGate } = await import("./hook/claim-gate.ts");
    return runGate(entry);
  }
  if (words[0] === "__guard") {
    const { guard } = await import("./guard/main.ts");
    return guard(words.slice(2));
  }
  if (words[0] === "__keychain") {
    const { keychainChild } = await import("./kit/sealed/keychain-child.ts");
    return keychainChild(words.slice(1));
  }
  if (words[0] === "__renew") {
    const { renewalChild } = await import("./auth/renewal.ts");
    return renewalChild(await contextOf(entry), words.slice(1));
  }
  if (words[0] === "models" && words[1] === "route") {
    const { quickRoute } = await import("./models/quick.ts");
    if (quickRoute(words.slice(2))) return;
  }
  if (words.length === 1 && words[0] === "--version") {
    const { VERSION } = await import("./version.ts");
    process.stdout.write(`${VERSION}\n`);
    return;
  }
  const [{ main }, context] = await Promise.all([import("./main.ts"), contextOf(entry)]);
  process.exitCode = await main(words, context);
}

async function contextOf(entry: string): Promise<Context> {
  const [{ createContext }, { processWorld }, { VERSION }] = await Promise.all([
    import("./kit/context.ts"),
    import("./kit/world.ts"),
    import("./version.ts"),
  ]);
  return createContext(processWorld(entry, VERSION));
}
