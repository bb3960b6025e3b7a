"""What only SQL can promise: no two people as A (or B) of a post at once; looks are not rewritten."""

from django.db import migrations

FORWARD = """
CREATE TYPE accounts_textrange AS RANGE (subtype = text, collation = "C");
ALTER TABLE accounts_postholding ADD CONSTRAINT accounts_one_holder EXCLUDE USING gist (
    accounts_textrange(post_id || ' ' || part, post_id || ' ' || part, '[]') WITH &&,
    tstzrange(since, until) WITH &&);
CREATE FUNCTION accounts_look_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a look is never changed'; END $$;
CREATE TRIGGER accounts_look_stays BEFORE UPDATE OR DELETE ON accounts_look
    FOR EACH ROW EXECUTE FUNCTION accounts_look_stays();
"""
BACKWARD = """
DROP TRIGGER accounts_look_stays ON accounts_look;
DROP FUNCTION accounts_look_stays();
ALTER TABLE accounts_postholding DROP CONSTRAINT accounts_one_holder;
DROP TYPE accounts_textrange;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_tables")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
