import { defineCommand } from "../../kit/command.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { printJson } from "../../kit/output.ts";
import { multiLine } from "../../kit/text.ts";
import { parseReference } from "../../secrets/reference.ts";
import { PROFILE_FLAG } from "../auth/flags.ts";

export const command = defineCommand({
  summary: "print one secret",
  description:
    "A reference is bw://ITEM, bw://ITEM/FIELD, bw://FOLDER/ITEM or bw://FOLDER/ITEM/FIELD; ITEM is a name or an id, %2F is a slash in a name.\nWithout FIELD: a login's password, a note's text, a card's number, an SSH key's private key. login.totp is the code of now.\nPrints the value and a line end, nothing else. Exit 3 not found, 1 when the reference fits several or the field is empty.",
  examples: [
    ["alai secrets get bw://GitHub", "the password of the login called GitHub"],
    ["alai secrets get 'bw://Work/Azure deploy/client secret'", "a field of an item in a folder"],
    ["alai secrets get bw://Registry -n | docker login -u ci --password-stdin", "without a line end"],
  ],
  args: [{ name: "reference", summary: "a reference, bw://ITEM/FIELD", parse: parseReference }],
  flags: {
    noNewline: { short: "n", summary: "no line end behind the value" },
    ...PROFILE_FLAG,
  },
  fields: { reference: "as it was typed", value: "the secret" },
  async run(context, { args: [reference], flags }) {
    const [{ chosenProfile }, { readReferences }] = await Promise.all([
      import("../../auth/profiles.ts"),
      import("../../secrets/read.ts"),
    ]);
    const [found] = await readReferences(context, chosenProfile(context, flags.profile).name, [reference]);
    if (!found || "code" in found)
      throw new Exit(
        found?.code === "not_found" ? EXIT.notFound : EXIT.refused,
        found?.code ?? "",
        found?.message,
        found?.hint,
      );
    const { value } = found;
    if (context.flags.json) return printJson(context, { reference: reference.raw, value });
    const { io } = context;
    const end = flags.noNewline || value.endsWith("\n") ? "" : "\n";
    // A terminal would obey what is in it; a pipe gets the bytes.
    io.out(`${io.stdoutIsTty ? multiLine(value) : value}${end}`);
  },
});
