/** Which manifest is meant. */
export const MANIFEST_FLAG = {
  manifest: { value: "FILE", summary: "the manifest, instead of ALAI_DR_MANIFEST or ./dr.manifest.yaml" },
} as const;
