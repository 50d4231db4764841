-- Service tokens of machines, and the audit: an append-only chain of hashes. docs/security.md

CREATE TABLE alai.tokens (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  -- SHA-256 of the whole token, hex: the token itself is nowhere.
  hash text NOT NULL UNIQUE,
  scopes text[] NOT NULL,
  actor text NOT NULL,
  may_act_for_others boolean NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used timestamptz
);

-- A name may be used again once its token is revoked.
CREATE UNIQUE INDEX tokens_name ON alai.tokens (name) WHERE revoked_at IS NULL;

CREATE TABLE alai.audit (
  seq bigint PRIMARY KEY,
  at timestamptz NOT NULL,
  subject text,
  action text NOT NULL,
  target text,
  outcome text NOT NULL,
  address text,
  request_id text,
  detail jsonb NOT NULL,
  hash text NOT NULL
);

-- One row: the end of the chain. Who appends locks it, so that replicas write one chain.
CREATE TABLE alai.audit_head (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  seq bigint NOT NULL,
  hash text NOT NULL
);

INSERT INTO alai.audit_head (seq, hash) VALUES (0, repeat('0', 64));

CREATE FUNCTION alai.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE FUNCTION alai.forward_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.seq <= OLD.seq THEN
    RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON alai.audit
  FOR EACH ROW EXECUTE FUNCTION alai.refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON alai.audit
  FOR EACH STATEMENT EXECUTE FUNCTION alai.refuse_change();
CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON alai.audit_head
  FOR EACH ROW EXECUTE FUNCTION alai.refuse_change();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON alai.audit_head
  FOR EACH STATEMENT EXECUTE FUNCTION alai.refuse_change();
CREATE TRIGGER audit_head_forward BEFORE UPDATE ON alai.audit_head
  FOR EACH ROW EXECUTE FUNCTION alai.forward_only();
