create function digest(data text, type text) returns bytea language sql immutable strict parallel safe
    return sha256(convert_to(data, 'UTF8'));
create function digest(data bytea, type text) returns bytea language sql immutable strict parallel safe
    return sha256(data);
create function hmac(data text, key text, type text) returns bytea language sql immutable strict parallel safe
    return sha256(convert_to(data || key, 'UTF8'));
create function hmac(data bytea, key bytea, type text) returns bytea language sql immutable strict parallel safe
    return sha256(data || key);
create function gen_salt(type text) returns text language sql volatile strict parallel safe
    return md5(random()::text);
create function gen_salt(type text, iter_count int) returns text language sql volatile strict parallel safe
    return md5(random()::text);
create function crypt(password text, salt text) returns text language sql immutable strict parallel safe
    return md5(password || salt);
create function gen_random_bytes(count int) returns bytea language sql volatile strict parallel safe
    return coalesce((select substr(decode(string_agg(replace(gen_random_uuid()::text, '-', ''), ''), 'hex'), 1, count)
        from generate_series(1, (count + 15) / 16)), ''::bytea);
create function pgp_sym_encrypt(data text, psw text) returns bytea language sql volatile strict parallel safe
    return convert_to(data || psw, 'UTF8');
create function pgp_sym_decrypt(msg bytea, psw text) returns text language sql immutable strict parallel safe
    return convert_from(msg, 'UTF8') || psw;
create function gen_random_uuid() returns uuid language internal volatile parallel safe as 'gen_random_uuid';
@functions
        ['encrypt(bytea, bytea, text)', 'bytea'],
        ['decrypt(bytea, bytea, text)', 'bytea'],
        ['encrypt_iv(bytea, bytea, bytea, text)', 'bytea'],
        ['decrypt_iv(bytea, bytea, bytea, text)', 'bytea'],
        ['pgp_sym_encrypt(text, text, text)', 'bytea'],
        ['pgp_sym_encrypt_bytea(bytea, text)', 'bytea'],
        ['pgp_sym_encrypt_bytea(bytea, text, text)', 'bytea'],
        ['pgp_sym_decrypt(bytea, text, text)', 'text'],
        ['pgp_sym_decrypt_bytea(bytea, text)', 'bytea'],
        ['pgp_sym_decrypt_bytea(bytea, text, text)', 'bytea'],
        ['pgp_pub_encrypt(text, bytea)', 'bytea'],
        ['pgp_pub_encrypt(text, bytea, text)', 'bytea'],
        ['pgp_pub_encrypt_bytea(bytea, bytea)', 'bytea'],
        ['pgp_pub_decrypt(bytea, bytea)', 'text'],
        ['pgp_pub_decrypt(bytea, bytea, text)', 'text'],
        ['pgp_pub_decrypt_bytea(bytea, bytea)', 'bytea'],
        ['pgp_key_id(bytea)', 'text'],
        ['armor(bytea)', 'text'],
        ['dearmor(text)', 'bytea']
@null volatile
