"""The database backend (数据库连接): Django's for PostgreSQL, with a cheaper look at its health."""
