import pg from "pg";

/** A table of the ledger, as the catalogue describes it. */
export interface Table {
  readonly columns: readonly string[];
  /** The columns of its primary key. */
  readonly key: readonly string[];
}

const CATALOGUE = `
  SELECT c.relname AS name,
    array_agg(a.attname::text ORDER BY a.attnum) AS columns,
    coalesce(array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attnum = ANY (i.indkey)), '{}') AS key
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'alai'
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
  WHERE c.relkind IN ('r', 'p')
  GROUP BY c.relname ORDER BY c.relname`;

/** One of the two databases, seen at one moment and never written to. */
export class Side {
  /** For people: without the password. */
  readonly name: string;
  readonly #client: pg.Client;

  private constructor(name: string, client: pg.Client) {
    this.name = name;
    this.#client = client;
  }

  static async open(url: string): Promise<Side> {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 30_000,
      application_name: "alai drill",
    });
    client.on("error", () => {});
    await client.connect();
    const side = new Side(nameOf(client), client);
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    // The same row must be the same text on both sides.
    await client.query("SET LOCAL TimeZone = 'UTC'; SET LOCAL statement_timeout = '10min'");
    return side;
  }

  async rows<T extends object>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    const { rows } = await this.#client.query<T>(text, [...values]);
    return rows;
  }

  async one<T extends object>(text: string, values: readonly unknown[] = []): Promise<T> {
    const [row] = await this.rows<T>(text, values);
    if (!row) throw new Error(`${this.name} has no row for: ${text}`);
    return row;
  }

  async tables(): Promise<Map<string, Table>> {
    const found = await this.rows<Table & { name: string }>(CATALOGUE);
    return new Map(found.map(({ name, columns, key }) => [name, { columns, key }]));
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => {});
  }
}

function nameOf({ host, port, database }: pg.Client): string {
  return `${host}:${port}/${database}`;
}
