export const MANIFEST_FLAG = {
  manifest: {
    value: "FILE",
    summary: "the manifest; else ALAI_DR_MANIFEST, the setting dr.manifest, ./dr.manifest.yaml",
  },
} as const;
