-- $1 user, $2 method, $3 key
SELECT request, reply
FROM idempotency_keys
WHERE user_id = $1::uuid AND method = $2::text AND key = $3::text
