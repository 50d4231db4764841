import type { Effective } from "../../kit/effective.ts";
import type { View } from "../../kit/output.ts";

export const SETTING_FIELDS = {
  key: "its name",
  value: "its value now, or null",
  source: "what decided it: a variable, the settings file, or default",
  summary: "what it is for",
} as const;

export const SETTING_VIEW: View<Effective> = {
  columns: [
    { header: "SETTING", value: (row) => row.key, show: (row, style) => style.strong(row.key) },
    { header: "VALUE", value: (row) => String(row.value ?? "") },
    { header: "FROM", value: (row) => row.source },
    { header: "WHAT", value: (row) => row.summary, flexible: true, only: "table" },
  ],
  json: (row) => ({ ...row }),
};
