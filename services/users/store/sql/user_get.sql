SELECT id, email, name, roles AS role_bits, status, version, created_at, updated_at, tenant
FROM users
WHERE id = $1 AND status <> 'deleted'
