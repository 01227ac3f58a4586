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
    return decode(repeat('00', count), 'hex');
create function pgp_sym_encrypt(data text, psw text) returns bytea language sql volatile strict parallel safe
    return convert_to(data || psw, 'UTF8');
create function pgp_sym_decrypt(msg bytea, psw text) returns text language sql immutable strict parallel safe
    return convert_from(msg, 'UTF8') || psw
