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
    const [{ renewalChild }, { createContext }, { processWorld }, { VERSION }] = await Promise.all([
      import("./auth/renewal.ts"),
      import("./kit/context.ts"),
      import("./kit/world.ts"),
      import("./version.ts"),
    ]);
    return renewalChild(createContext(processWorld(entry, VERSION)), words.slice(1));
  }
  if (words.length === 1 && words[0] === "--version") {
    const { VERSION } = await import("./version.ts");
    process.stdout.write(`${VERSION}\n`);
    return;
  }
  const [{ main }, { createContext }, { processWorld }, { VERSION }] = await Promise.all([
    import("./main.ts"),
    import("./kit/context.ts"),
    import("./kit/world.ts"),
    import("./version.ts"),
  ]);
  process.exitCode = await main(words, createContext(processWorld(entry, VERSION)));
}
