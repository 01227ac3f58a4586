create type tablefunc_crosstab_2 as (row_name text, category_1 text, category_2 text);
create type tablefunc_crosstab_3 as (row_name text, category_1 text, category_2 text, category_3 text);
create type tablefunc_crosstab_4 as (row_name text, category_1 text, category_2 text, category_3 text, category_4 text);
@functions
        ['normal_rand(integer, double precision, double precision)', 'double precision'], ['crosstab(text)', 'record'],
        ['crosstab(text, integer)', 'record'], ['crosstab(text, text)', 'record'],
        ['crosstab2(text)', 'tablefunc_crosstab_2'], ['crosstab3(text)', 'tablefunc_crosstab_3'],
        ['crosstab4(text)', 'tablefunc_crosstab_4'], ['connectby(text, text, text, text, integer, text)', 'record'],
        ['connectby(text, text, text, text, integer)', 'record'],
        ['connectby(text, text, text, text, text, integer, text)', 'record'],
        ['connectby(text, text, text, text, text, integer)', 'record']
@empty volatile
