import { describe, expect, test } from "vitest";
import { BUILDS, Place } from "./harness.ts";
import { screen } from "./terminal.ts";

const NOBODY = { ALAI_ACTOR: undefined, ALAI_SESSION: undefined };

describe.each(BUILDS)("$name: who am I", (build) => {
  test("two calls from one terminal are one session, two terminals are two", async () => {
    using place = new Place(build);
    await place.add("a", "b");
    const one = await screen(place, "alai mc claim 1 --json=holder; alai mc claim 1 --json=holder,idempotent", {
      env: NOBODY,
    });
    const [first, second] = one.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { holder: string; idempotent?: boolean });
    expect(first?.holder).toMatch(/^tester:[\w-]+-[0-9a-f]{8}$/);
    expect(second).toEqual({ holder: first?.holder, idempotent: true });
    const other = await screen(place, "alai mc claim 1", { env: NOBODY });
    expect([other.code, other.text]).toEqual([1, expect.stringContaining(`Task 1 held by ${first?.holder} until`)]);
    const two = await screen(place, "alai mc claim 2 --json=holder", { env: NOBODY });
    expect((JSON.parse(two.text) as { holder: string }).holder).not.toBe(first?.holder);
  });

  test("a subshell, a pipe and a script in one terminal are the same session", async () => {
    using place = new Place(build);
    await place.add("a");
    const { text } = await screen(
      place,
      "alai mc claim 1 -q; (alai mc claim 1 --json=idempotent | cat); alai mc done 1 -q",
      { env: NOBODY },
    );
    expect(text.trim().split("\n")).toEqual(["1", '{"idempotent":true}', "1"]);
  });

  test("flag, then ALAI_ variable, then the agent's own, then terminal; the actor's setting before the system's name", async () => {
    using place = new Place(build);
    await place.add("a", "b", "c", "d", "e", "f");
    const holder = async (id: number, flags: string, env: Record<string, string | undefined>) =>
      (await place.json<{ holder: string }>(`mc claim ${id} ${flags}`.trim(), { env })).holder;
    const agent = { CLAUDE_CODE_SESSION_ID: "claude-1" };
    expect(await holder(1, "--actor flag --session flag", agent)).toBe("flag:flag");
    expect(await holder(2, "", agent)).toBe("ann:s1");
    expect(await holder(3, "", { ...NOBODY, ...agent })).toBe("tester:claude-1");
    expect(await holder(4, "", { ...NOBODY, CODEX_SESSION_ID: "codex-1" })).toBe("tester:codex-1");
    expect(await holder(5, "", NOBODY)).toMatch(/^tester:.+-[0-9a-f]{8}$/);
    await place.ok("config set actor joe");
    expect(await holder(6, "", { ...NOBODY, ...agent })).toBe("joe:claude-1");
  });

  test("the terminal's own variables tell windows apart", async () => {
    using place = new Place(build);
    await place.add("a");
    const claim = (pane: string) => place.run("mc claim 1", { env: { ...NOBODY, TMUX_PANE: pane } });
    expect([(await claim("%1")).code, (await claim("%1")).code, (await claim("%2")).code]).toEqual([0, 0, 1]);
  });

  test("both builds are the same session of one terminal, with and without a user in the environment", async () => {
    using place = new Place(build);
    await place.add("a");
    const others = BUILDS.map(({ command }) => `${command.join(" ")} mc claim 1 --json=holder`).join("; ");
    for (const env of [NOBODY, { ...NOBODY, USER: undefined }]) {
      const { text } = await screen(place, `${others}; alai mc claim-release 1 >/dev/null`, { env });
      const [one, two] = text.trim().split("\n");
      expect(one).toMatch(/^\{"holder":"[^"]+"\}$/);
      expect(two).toBe(one);
    }
  });
});
