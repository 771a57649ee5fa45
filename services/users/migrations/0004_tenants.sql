-- The organisation whose limits a user shares with its others (a claim of access tokens), or
-- null. An id of whoever runs this API: there is no table of tenants.
ALTER TABLE users ADD COLUMN tenant uuid;
