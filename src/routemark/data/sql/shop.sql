-- A small shop: customers order products in orders of several lines; some orders were never paid, some
-- products never sold, some customers never ordered, and not every column is known for everybody.
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT, joined TEXT NOT NULL, referred_by INTEGER REFERENCES customers (id));
CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL, price REAL NOT NULL, discontinued INTEGER NOT NULL DEFAULT 0);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), ordered TEXT NOT NULL, paid TEXT);
CREATE TABLE order_lines (order_id INTEGER NOT NULL REFERENCES orders (id), product_id INTEGER NOT NULL REFERENCES products (id), quantity INTEGER NOT NULL, unit_price REAL NOT NULL, PRIMARY KEY (order_id, product_id));
INSERT INTO customers VALUES
 (1, 'Adaeze Obi', 'Leeds', '2023-01-15', NULL), (2, 'Bruno Keller', 'Basel', '2023-02-03', 1),
 (3, 'Chitra Rao', NULL, '2023-02-20', 1), (4, 'Dmitri Sokol', 'Leeds', '2023-04-11', 2),
 (5, 'Elin Berg', 'Malmö', '2023-05-30', NULL), (6, 'Farid Haddad', 'Basel', '2023-07-08', 4),
 (7, 'Greta Lind', 'Malmö', '2023-09-19', 5), (8, 'Hugo Prats', NULL, '2023-11-02', NULL),
 (9, 'Ines Duarte', 'Porto', '2024-01-07', 5), (10, 'Jonas Weiss', 'Basel', '2024-02-14', 6);
INSERT INTO products VALUES
 (1, 'Kettle', 'kitchen', 34.90, 0), (2, 'Teapot', 'kitchen', 22.50, 0), (3, 'Mug', 'kitchen', 7.25, 0),
 (4, 'Desk lamp', 'office', 41.00, 0), (5, 'Notebook', 'office', 4.80, 0), (6, 'Stapler', 'office', 11.30, 1),
 (7, 'Garden hose', 'garden', 28.75, 0), (8, 'Trowel', 'garden', 9.95, 0), (9, 'Bird feeder', 'garden', 16.40, 1),
 (10, 'Door mat', 'home', 19.00, 0), (11, 'Candle', 'home', 5.60, 0), (12, 'Wall clock', 'home', 27.80, 0);
INSERT INTO orders VALUES
 (1, 1, '2023-03-01', '2023-03-02'), (2, 2, '2023-03-14', '2023-03-14'), (3, 1, '2023-05-22', '2023-05-25'),
 (4, 4, '2023-06-02', NULL), (5, 5, '2023-06-18', '2023-06-20'), (6, 3, '2023-08-09', '2023-08-09'),
 (7, 6, '2023-08-30', '2023-09-06'), (8, 5, '2023-10-12', NULL), (9, 7, '2023-12-01', '2023-12-01'),
 (10, 1, '2024-01-16', '2024-01-18'), (11, 9, '2024-02-02', '2024-02-03'), (12, 6, '2024-03-21', NULL),
 (13, 2, '2024-04-05', '2024-04-09'), (14, 9, '2024-04-30', '2024-04-30'), (15, 4, '2024-05-11', '2024-05-12');
INSERT INTO order_lines VALUES
 (1, 1, 1, 34.90), (1, 3, 4, 7.00), (2, 4, 1, 41.00), (2, 5, 10, 4.50), (3, 2, 1, 22.50), (3, 11, 6, 5.60),
 (4, 7, 1, 28.75), (4, 8, 2, 9.95), (5, 3, 2, 7.25), (5, 10, 1, 19.00), (6, 5, 3, 4.80), (6, 6, 1, 11.30),
 (7, 1, 2, 33.00), (7, 2, 1, 22.50), (8, 9, 1, 16.40), (9, 11, 12, 5.10), (9, 3, 6, 6.90), (10, 4, 2, 39.50),
 (10, 5, 5, 4.80), (10, 3, 1, 7.25), (11, 8, 1, 9.95), (11, 7, 1, 28.75), (12, 10, 2, 19.00), (13, 1, 1, 34.90),
 (13, 11, 3, 5.60), (14, 3, 8, 6.90), (14, 2, 2, 21.00), (15, 5, 20, 4.20), (15, 4, 1, 41.00);
