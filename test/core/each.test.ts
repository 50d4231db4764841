import { notFound, Refusal } from "@alai/core";
import { each } from "@alai/core/rules/each";
import { describe, expect, test } from "vitest";

/** What several tasks of one call refuse, in words. */

function thrown(kind: "change" | "look"): unknown {
  try {
    each(
      [1, 98, 99],
      (id) => {
        if (id === 98) throw new Refusal("held", "Task 98 held by bob:s2 until 2026-05-08T12:30:00Z", { taskId: id });
        if (id === 99) throw notFound(id);
        return id;
      },
      kind,
    );
  } catch (error) {
    return error;
  }
  return null;
}

describe("several refusals", () => {
  test("of a change: that nothing was changed, then each in a sentence of its own", () => {
    expect(thrown("change")).toMatchObject({
      message:
        "Nothing was changed, because of 2 of 3: Task 98 held by bob:s2 until 2026-05-08T12:30:00Z. There is no task 99.",
    });
  });

  test("of a look: nothing about changes", () => {
    expect(thrown("look")).toMatchObject({
      message: "Task 98 held by bob:s2 until 2026-05-08T12:30:00Z. There is no task 99.",
      failures: [{ id: 98 }, { id: 99 }],
    });
  });
});
