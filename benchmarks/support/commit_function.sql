-- The yardstick: one function that commits one checkout, with the rows that ours writes.
-- It locks the member, looks for the key, and reads what it must to write the same columns.
CREATE SEQUENCE bench_ids START 1;

CREATE FUNCTION bench_commit(p_tenant integer, p_number bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_now bigint := extract(epoch FROM clock_timestamp()) * 1000000;
    v_key text := 'k-p-' || p_number;
    r record;
    m record;
    v_points bigint;
    v_next bigint;
    v_status bigint;
    o bigint := nextval('bench_ids');
    t1 bigint := nextval('bench_ids');
    t2 bigint := nextval('bench_ids');
    l1 bigint := nextval('bench_ids');
    l2 bigint := nextval('bench_ids');
    h1 bytea;
    h2 bytea;
BEGIN
    SELECT id, member_id INTO STRICT r FROM reservation
     WHERE tenant_id = p_tenant AND cart_id = 'p-' || p_number AND state = 'HELD';
    SELECT id, seq, hash, tier INTO STRICT m FROM member
     WHERE tenant_id = p_tenant AND id = r.member_id FOR NO KEY UPDATE;
    PERFORM FROM idempotency WHERE tenant_id = p_tenant AND key = v_key
        AND client = 'bench' AND operation = 'checkoutCommit';
    IF FOUND THEN RETURN 0; END IF;
    SELECT sum(amount) INTO v_points FROM draw
     WHERE tenant_id = p_tenant AND reservation_id = r.id;
    SELECT min(ends_at), sum(amount - reversed) FILTER (WHERE unit = 'status')
      INTO v_next, v_status FROM lot
     WHERE tenant_id = p_tenant AND member_id = m.id AND ends_at > v_now;
    INSERT INTO shop_order (id, tenant_id, external_id, member_id, state, source, currency,
        total_minor, discount_minor, tender_points, tender_minor, points_earned, points_redeemed,
        shortfall, mismatch, reservation_id, ruleset_version, tier, context, occurred_at, booked_at)
    VALUES (o, p_tenant, 'o-p-' || p_number, m.id, 'PAID', 'checkout', 'USD',
        7000, 1000, 1000, 100, 1035, v_points, 0, false, r.id, 1, m.tier,
        '{"format":2,"ruleset":1,"tier":"gold","quote":"' || repeat('0', 64) || '","earned":[["points",'
        || '1035,' || l1 || ',[172,345,518]],["status",69,' || l2 || ',[11,23,35]]],"facts":{"lines":'
        || '[["0",1,1250,1167,16,0,0,0,[["five-off",83]]],["1",2,2500,2333,34,0,0,0,[["five-off",167'
        || ']]],["2",3,3750,3500,50,0,0,0,[["five-off",250]]]],"shipping":["",0,500,0,0,0,0,0,'
        || '[["free-shipping",500]]],"tender":["points",1000],"rewards":[["five-off",["points",5000],'
        || '2000,[]],["free-shipping",null,6000,[]]]}}', v_now, v_now);
    INSERT INTO order_line (id, tenant_id, order_id, line, product, quantity, amount_minor, discount_minor)
    VALUES (nextval('bench_ids'), p_tenant, o, 0, 'p-0', 1, 1250, 83),
           (nextval('bench_ids'), p_tenant, o, 1, 'p-1', 2, 2500, 167),
           (nextval('bench_ids'), p_tenant, o, 2, 'p-2', 3, 3750, 250);
    h1 := sha256(convert_to(encode(m.hash, 'hex') || concat_ws(',', p_tenant, t1, m.id, m.seq + 1,
        'REDEEM', o, r.id, 1, v_now, v_now, 'HELD', v_points, 'REDEEMED'), 'UTF8'));
    h2 := sha256(convert_to(encode(h1, 'hex') || concat_ws(',', p_tenant, t2, m.id, m.seq + 2,
        'EARN', o, 1, v_now, v_now, 'points', 1035, l1, 'status', 69, l2), 'UTF8'));
    INSERT INTO ledger_transaction (id, tenant_id, member_id, seq, kind, order_id, reservation_id,
        ruleset_version, effective_at, booked_at, hash)
    VALUES (t1, p_tenant, m.id, m.seq + 1, 'REDEEM', o, r.id, 1, v_now, v_now, h1),
           (t2, p_tenant, m.id, m.seq + 2, 'EARN', o, NULL, 1, v_now, v_now, h2);
    INSERT INTO transaction_note (id, tenant_id, client, idempotency_key)
    VALUES (t1, p_tenant, 'bench', v_key), (t2, p_tenant, 'bench', v_key);
    INSERT INTO lot (id, tenant_id, member_id, unit, amount, remaining, reversed, expired,
        earned_at, available_at, ends_at, order_id)
    VALUES (l1, p_tenant, m.id, 'points', 1035, 1035, 0, 0, v_now, v_now + 1209600000000,
            v_now + 31536000000000, o),
           (l2, p_tenant, m.id, 'status', 69, 69, 0, 0, v_now, v_now, v_now + 31536000000000, o);
    INSERT INTO ledger_entry (id, tenant_id, transaction_id, account, unit, amount, lot_id,
        available_at, expires_at)
    VALUES (nextval('bench_ids'), p_tenant, t1, 'HELD', 'points', -v_points, NULL, NULL, NULL),
           (nextval('bench_ids'), p_tenant, t1, 'REDEEMED', 'points', v_points, NULL, NULL, NULL),
           (nextval('bench_ids'), p_tenant, t2, 'MEMBER', 'points', 1035, l1,
            v_now + 1209600000000, v_now + 31536000000000),
           (nextval('bench_ids'), p_tenant, t2, 'ISSUED', 'points', -1035, NULL, NULL, NULL),
           (nextval('bench_ids'), p_tenant, t2, 'MEMBER', 'status', 69, l2,
            v_now, v_now + 31536000000000),
           (nextval('bench_ids'), p_tenant, t2, 'ISSUED', 'status', -69, NULL, NULL, NULL);
    UPDATE account SET balance = balance + CASE unit WHEN 'points' THEN 1035 ELSE 69 END
     WHERE tenant_id = p_tenant AND member_id = m.id AND unit IN ('points', 'status');
    UPDATE draw SET state = 'SPENT' WHERE tenant_id = p_tenant AND reservation_id = r.id;
    UPDATE reservation SET state = 'COMMITTED', order_id = o
     WHERE tenant_id = p_tenant AND id = r.id;
    UPDATE member SET version = version + 1, seq = m.seq + 2, hash = h2, settled_at = v_now,
        booked_at = v_now, next_change_at = least(v_next, v_now + 1209600000000),
        tier = CASE WHEN v_status >= 2500 THEN 'gold' WHEN v_status >= 850 THEN 'silver' ELSE 'member' END
     WHERE tenant_id = p_tenant AND id = m.id;
    INSERT INTO idempotency (id, tenant_id, client, operation, key, body_hash, outcome, created_at,
        subject)
    VALUES (nextval('bench_ids'), p_tenant, 'bench', 'checkoutCommit', v_key, repeat('0', 64),
        '{"outcome":{"order":' || o || ',"booked":true}}', v_now, m.id);
    RETURN o;
END
$$;
