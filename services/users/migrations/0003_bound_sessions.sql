-- The thumbprint of the key that a session is bound to (RFC 9449), or null.
ALTER TABLE sessions ADD COLUMN jkt text;
