import { profileName } from "../../kit/settings.ts";

/** Which profile is meant. */
export const PROFILE_FLAG = {
  profile: { value: "NAME", summary: "another profile than the one in use", parse: profileName },
} as const;
