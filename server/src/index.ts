/** The companion server of alai: an empty shell until its own issue. Nothing imports it. */
export {};
