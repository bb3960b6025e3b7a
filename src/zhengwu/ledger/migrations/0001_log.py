"""The tables of the log. In SQL: xid8, collation C and the order index are beyond the ORM."""

from django.db import migrations

UP = """
CREATE TABLE ledger_event (
    id uuid PRIMARY KEY,
    stream text COLLATE "C" NOT NULL,
    stream_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    kind text COLLATE "C" NOT NULL,
    nature text COLLATE "C" NOT NULL CHECK (nature IN ('act', 'observation')),
    occurred timestamptz NOT NULL,
    recorded timestamptz NOT NULL,
    received timestamptz NOT NULL,
    actor text COLLATE "C",
    post text COLLATE "C",
    agency text COLLATE "C",
    region text COLLATE "C",
    source text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL CHECK (key <> ''),
    request bytea,
    body jsonb NOT NULL CHECK (jsonb_typeof(body) = 'object'),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT ledger_event_version UNIQUE (stream, stream_id, version),
    CONSTRAINT ledger_event_key UNIQUE (source, key)
);
CREATE INDEX ledger_event_order ON ledger_event (xid, stream, stream_id, version);
CREATE TABLE ledger_position (
    position bigint PRIMARY KEY CHECK (position > 0),
    event uuid NOT NULL CONSTRAINT ledger_position_event UNIQUE,
    leaf bytea NOT NULL CHECK (octet_length(leaf) = 32)
);
CREATE TABLE ledger_sequencer (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    low_xid xid8 NOT NULL DEFAULT '0',
    last bigint NOT NULL DEFAULT 0
);
CREATE TABLE ledger_follower (
    name text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0
);
CREATE TABLE ledger_head (
    id uuid PRIMARY KEY,
    stream text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0)
) WITH (fillfactor = 75);
CREATE TABLE ledger_series (
    agency text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL CHECK (last > 0),
    PRIMARY KEY (agency, kind, year)
);
CREATE TABLE ledger_content (
    id uuid PRIMARY KEY,
    stream text COLLATE "C" NOT NULL,
    stream_id uuid NOT NULL,
    salt bytea,
    data jsonb,
    erased timestamptz,
    erased_by text,
    erased_because text,
    CHECK ((erased IS NULL) = (salt IS NOT NULL)),
    CHECK (erased IS NULL OR (data IS NULL AND erased_by IS NOT NULL AND erased_because <> ''))
);
CREATE INDEX ledger_content_stream ON ledger_content (stream, stream_id);
"""
DOWN = """
DROP TABLE ledger_content, ledger_series, ledger_head, ledger_follower, ledger_sequencer,
    ledger_position, ledger_event;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunSQL(UP, DOWN)]
