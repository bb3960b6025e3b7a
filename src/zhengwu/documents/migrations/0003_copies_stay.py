"""What only SQL can promise: the record of a print is never rewritten."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION documents_copy_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the record of a print is never changed'; END $$;
CREATE TRIGGER documents_copy_stays BEFORE UPDATE OR DELETE ON documents_copy
    FOR EACH ROW EXECUTE FUNCTION documents_copy_stays();
"""
BACKWARD = """
DROP TRIGGER documents_copy_stays ON documents_copy;
DROP FUNCTION documents_copy_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("documents", "0002_files_and_copies")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
