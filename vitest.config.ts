import { defineConfig } from "vitest/config";

/**
 * Groups, one after the other: what computes, what starts the built program, what has a server or a Postgres, what talks to
 * servers, what loads the machine on purpose. Tests that look at the clock would otherwise wait for a turn of the processor behind sixteen busy writers.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/kit/**/*.test.ts", "test/core/**/*.test.ts"],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "scripts",
          include: ["test/scripts/**/*.test.ts"],
          globalSetup: ["test/global-setup.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxConcurrency: 4,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "client",
          include: ["test/client/**/*.test.ts"],
          testTimeout: 30_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "server",
          include: ["test/server/**/*.test.ts"],
          globalSetup: ["test/server/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxConcurrency: 4,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "lin",
          include: ["test/**/*.test.ts"],
          exclude: ["test/kit/**", "test/core/**", "test/scripts/**", "test/client/**", "test/server/**"],
          testTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
