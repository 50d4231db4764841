import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Every worker, and every process that a test starts from the sources, would compile the same modules again. */
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules", ".cache", "alai-test-compiled");

/** They load the machine on purpose, or look at the clock so closely that nothing else may. */
const ALONE = ["crowd", "hook", "http-news", "http-outage", "run-alone", "run-guard"].map(
  (name) => `test/scripts/${name}.test.ts`,
);

/**
 * A condition that is waited for may take its time on a machine that has much to do; one second is the library's own limit. The
 * limits of tests are as generous: they are for what hangs.
 */
const PATIENT = { poll: { timeout: 120_000 } };

/** Folders of the projects before the last. */
const OTHERS = [
  "kit",
  "core",
  "scripts",
  "client",
  "server",
  "auth",
  "bootstrap",
  "secrets",
  "morning",
  "dr",
  "watch",
  "models",
  "runbook",
];

/**
 * Groups, one after the other: what computes, what starts the built program or talks to servers, what has a Postgres, what
 * wants the machine for itself. Most tests of the second and third wait, so more of them run at once than there are
 * processors; those that look at the clock closely would wait for a turn of the processor, and are in a group of their own, before
 * the last, which loads the machine on purpose.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          expect: PATIENT,
          include: ["test/{kit,core,morning}/**/*.test.ts"],
          testTimeout: 300_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "scripts",
          expect: PATIENT,
          include: ["test/scripts/**/*.test.ts"],
          exclude: ALONE,
          globalSetup: ["test/global-setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          maxConcurrency: 4,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "client",
          expect: PATIENT,
          include: ["test/client/**/*.test.ts"],
          testTimeout: 300_000,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "server",
          expect: PATIENT,
          include: ["test/server/**/*.test.ts"],
          globalSetup: ["test/server/global-setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          maxConcurrency: 4,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "auth",
          expect: PATIENT,
          include: ["test/{auth,bootstrap}/**/*.test.ts"],
          globalSetup: ["test/global-setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          maxConcurrency: 4,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "secrets",
          expect: PATIENT,
          include: ["test/secrets/**/*.test.ts"],
          globalSetup: ["test/global-setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          maxConcurrency: 3,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "dr",
          expect: PATIENT,
          include: ["test/{dr,watch,models,runbook}/**/*.test.ts"],
          globalSetup: ["test/global-setup.ts", "test/dr/global-setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "alone",
          expect: PATIENT,
          include: ALONE,
          globalSetup: ["test/global-setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          maxConcurrency: 4,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "lin",
          expect: PATIENT,
          include: ["test/**/*.test.ts"],
          exclude: OTHERS.map((folder) => `test/${folder}/**`),
          testTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
