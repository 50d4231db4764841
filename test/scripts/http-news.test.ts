import { describe, expect, test } from "vitest";
import { BUILDS, Place } from "./harness.ts";
import { Server } from "./http-server.ts";

/** How soon another process sees what one has posted. */

describe.each(BUILDS)("$name", (build) => {
  test("a task that one process posts is in the list of another within two seconds", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    const began = performance.now();
    const answer = await fetch(`${server.url}/tasks`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title: "posted" }),
    });
    expect(answer.status).toBe(201);
    const posted = performance.now();
    const listed = await place.run("mc list --json=title", { env: server.env });
    const seen = performance.now();
    expect(JSON.parse(listed.stdout)).toEqual([{ title: "posted" }]);
    expect(seen - began).toBeLessThan(2000);
    console.info(
      `${build.name}: posted in ${Math.round(posted - began)} ms, listed by another process ${Math.round(seen - posted)} ms later, its start included`,
    );
  });
});
