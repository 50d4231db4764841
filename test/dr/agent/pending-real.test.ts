import { expect, it } from "vitest";
import { World } from "../world.ts";
import { Fleet } from "./fleet.ts";

const LATE = 4000;

it("a Litestream that stands still shows at once: the ship lag grows, and is over when it goes on", async () => {
  await using world = await World.make({ databases: ["one"] });
  await world.startWriter({ databases: ["one"], rate: 2 });
  await using fleet = await Fleet.make(world);
  fleet.start("anvil");
  await fleet.untilStatus("shipped", (all) => all.every(({ shipped }) => shipped !== null));
  const [litestream = 0] = await fleet.litestreams("anvil");
  process.kill(litestream, "SIGSTOP");
  try {
    const { databases } = await fleet.untilStatus("late", (all) => all.every(({ shipLag }) => (shipLag ?? 0) > LATE));
    expect(databases[0]?.committed).not.toBeNull();
    await fleet.says("anvil", "one", "nothing is taken up", ({ pending }) => pending?.untaken != null);
  } finally {
    process.kill(litestream, "SIGCONT");
  }
  await fleet.untilStatus("in time", (all) => all.every(({ shipLag }) => shipLag !== null && shipLag < LATE));
});
