DROP TABLE goods_order_line;
DROP TABLE goods_order;
DROP TABLE goods_draft_line;
DROP TABLE goods_draft;
DROP TYPE goods_stock;
DROP TYPE goods_status;
