/** Flags of the commands that read the manifest. */
export const MANIFEST_FLAG = {
  manifest: {
    value: "FILE",
    summary: "the manifest; default ALAI_DR_MANIFEST, the setting dr.manifest, ./dr.manifest.yaml",
  },
} as const;
