// stub
export async function derive(){}
